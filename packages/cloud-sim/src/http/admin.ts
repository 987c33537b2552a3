import type { FastifyInstance } from 'fastify';
import type { CloudSim } from '../cloud-sim.ts';
import { NOT_SIMULATED } from '../core/not-simulated.ts';
import type { ScriptRun } from '../script/script-run.ts';
import { addDeedRoutes } from './deed-routes.ts';
import type { DnsResponder } from './dns-responder.ts';
import type { ImdsEndpoints } from './imds-endpoints.ts';
import { addScriptRoutes } from './script-admin.ts';

export interface AdminParts {
  readonly sim: CloudSim;
  readonly imds: ImdsEndpoints;
  readonly script: ScriptRun;
  readonly dns: DnsResponder;
  readonly dnsPort: number;
  /** Process ids of the machines, by instance. */
  readonly machines: () => Readonly<Record<string, { readonly pid: number | null; readonly rootDir: string }>>;
}

function addReadingRoutes(app: FastifyInstance, parts: AdminParts): void {
  const { sim } = parts;
  app.get('/_sim/faults', (_request, reply) => reply.send({ faults: sim.faults() }));
  app.delete('/_sim/faults', (_request, reply) => {
    sim.clearFaults();
    return reply.send({ ok: true });
  });
  app.get('/_sim/route53/zones', () => ({
    zones: sim.dns.all().map((one) => ({
      ...{ id: one.id, name: one.name, vpcIds: one.vpcIds },
      ...{ records: [...one.records.values()], protections: [...one.protections] },
    })),
  }));
  app.get('/_sim/ssm/executions', (_request, reply) => reply.send({ executions: sim.commands.executions }));
  app.get('/_sim/sqs/queues', (_request, reply) =>
    reply.send({
      queues: sim.queues.all().map(({ url, arn, waiting, inFlight }) => ({ url, arn, waiting, inFlight })),
    }),
  );
  app.get('/_sim/state', (_request, reply) => reply.send(state(parts)));
  app.get<{ Querystring: { after?: string } }>('/_sim/events', (request, reply) => {
    const after = Number(request.query.after ?? 0);
    return reply.send({ lastSeq: sim.log.lastSeq, events: sim.log.events(Number.isFinite(after) ? after : 0) });
  });
  app.get('/_sim/identity-certificate', (_request, reply) =>
    reply.type('application/x-pem-file').send(parts.sim.identity.certificate()),
  );
  app.get('/_sim/limits', (_request, reply) => reply.send({ notSimulated: NOT_SIMULATED }));
}

function state({ sim, imds, dnsPort, machines, dns }: AdminParts) {
  const { region } = sim.core;
  return {
    region: sim.region,
    zones: sim.zones,
    impairedZones: [...region.impairedZones],
    failedZones: [...region.failedZones.keys()],
    speed: region.latency.speed,
    wallMs: sim.clock.wallMs(),
    defaultWorld: sim.defaultResources,
    dns: { host: '127.0.0.1', port: dnsPort, mode: dns.mode },
    imds: imds.ports(),
    machines: machines(),
    instances: region.instances.all(),
    volumes: region.volumes.all(),
    snapshots: region.snapshots.all(),
    images: region.images.all(),
    networkInterfaces: region.networkInterfaces.all(),
    addresses: region.addresses.all(),
    keyPairs: region.keyPairs.all(),
    placementGroups: region.placementGroups.all(),
    capacityReservations: region.capacityReservations.all(),
    routeTables: region.routeTables.all(),
    kmsKeys: region.kmsKeys.all(),
    hosts: [...region.hosts.values()],
    instanceProfiles: [...region.instanceProfiles],
    licenseConfigurations: [...region.licenseConfigurations],
    launches: sim.log.launches(),
    faults: sim.faults(),
    replaceRootVolumeTasks: region.replaceRootVolumeTasks.all(),
    throttledCalls: region.throttle.rejectedCount,
    lastSeq: sim.log.lastSeq,
  };
}

/**
 * `/_sim/…`: what an operator of the real cloud cannot do. It speaks JSON. It has no
 * authentication, because it listens on loopback only.
 */
export function addAdmin(app: FastifyInstance, parts: AdminParts): void {
  const { sim, imds, dns } = parts;
  addDeedRoutes(app, { sim, imds, dns, durationMs: (saidMs) => saidMs });
  addScriptRoutes(app, parts.script);
  addReadingRoutes(app, parts);
}
