import type { FastifyInstance } from 'fastify';
import * as z from 'zod';
import type { CloudSim } from '../cloud-sim.ts';
import { NOT_SIMULATED } from '../core/not-simulated.ts';
import { body, done } from './admin-replies.ts';
import { addElbv2Routes } from './elbv2-admin.ts';
import { addKmsRoutes } from './kms-admin.ts';
import { addRoute53Routes } from './route53-admin.ts';
import { FaultSchema } from './fault-schema.ts';
import { changeZone, ZoneSchema } from './zone-change.ts';
import { addScriptRoutes } from './script-admin.ts';
import { addSecretRoutes } from './secrets-admin.ts';
import type { ScriptRun } from '../script/script-run.ts';
import type { DnsResponder } from './dns-responder.ts';
import { addEventRoutes } from './events-admin.ts';
import { addCommandRoutes } from './ssm-admin.ts';
import type { ImdsFaults } from './imds-content.ts';
import type { ImdsEndpoints } from './imds-endpoints.ts';

const ImdsFaultsSchema = z.strictObject({
  unreachable: z.boolean().optional(),
  throttled: z.boolean().optional(),
  spotAction: z.strictObject({ action: z.enum(['stop', 'terminate', 'hibernate']), time: z.string() }).optional(),
  rebalanceNoticeTime: z.string().optional(),
  maintenance: z
    .array(
      z.strictObject({
        Code: z.string(),
        Description: z.string(),
        EventId: z.string(),
        NotBefore: z.string(),
        NotAfter: z.string(),
        State: z.string(),
      }),
    )
    .max(20)
    .optional(),
});

const FailHostSchema = z.strictObject({ recoverAfterMs: z.number().min(0).max(86_400_000).nullable().default(null) });
const TakeDownSchema = z.strictObject({ code: z.string(), how: z.enum(['stop', 'terminate']) });
const ChecksSchema = z.strictObject({ failed: z.array(z.enum(['system', 'instance', 'attached-ebs'])).max(3) });
const AnnouncedSchema = z.strictObject({
  events: z
    .array(
      z.strictObject({
        eventId: z.string(),
        code: z.string(),
        description: z.string(),
        notBeforeWallMs: z.number(),
      }),
    )
    .max(20),
});
const CapacitySchema = z.strictObject({
  az: z.string(),
  instanceType: z.string(),
  left: z.number().int().min(0).nullable(),
});
const OfferingSchema = z.strictObject({ az: z.string(), instanceType: z.string(), offered: z.boolean() });
const ExistsSchema = z.strictObject({ name: z.string().min(1), exists: z.boolean() });
const HostSchema = z.strictObject({
  id: z.string().regex(/^h-[0-9a-f]+$/),
  az: z.string(),
  autoPlacement: z.boolean(),
  exists: z.boolean(),
});
const CodesSchema = z.strictObject({ imageId: z.string(), codes: z.array(z.string().min(1)).max(10) });
const KeysSchema = z.strictObject({ keys: z.array(z.string().min(1)).max(50) });
const DnsSchema = z.strictObject({ mode: z.enum(['answer', 'nxdomain', 'silent']) });
const QuotasSchema = z.record(z.string(), z.number().int().min(0));

export interface AdminParts {
  readonly sim: CloudSim;
  readonly imds: ImdsEndpoints;
  readonly script: ScriptRun;
  readonly dns: DnsResponder;
  readonly dnsPort: number;
  /** Process ids of the machines, by instance. */
  readonly machines: () => Readonly<Record<string, { readonly pid: number | null; readonly rootDir: string }>>;
}

type IdParams = { Params: { id: string } };

function addInstanceRoutes(app: FastifyInstance, { sim, imds }: AdminParts): void {
  app.post<IdParams>('/_sim/instances/:id/crash', (request, reply) =>
    done(reply, sim.crashInstance(request.params.id), 'no running instance of that id, or crashed already'),
  );
  app.post<IdParams>('/_sim/instances/:id/fail-host', (request, reply) => {
    const wanted = body(FailHostSchema, request.body ?? {}, reply);
    if (!wanted) return reply;
    return done(reply, sim.failHost(request.params.id, wanted.recoverAfterMs), 'no running instance of that id');
  });
  app.post<IdParams>('/_sim/volumes/:id/hold-back-io', (request, reply) =>
    done(reply, sim.holdBackIo(request.params.id), 'no volume of that id'),
  );
  app.post<IdParams>('/_sim/instances/:id/shutdown', (request, reply) =>
    done(reply, sim.shutDownFromInside(request.params.id), 'no running instance of that id'),
  );
  app.post<IdParams>('/_sim/instances/:id/take-down', (request, reply) => {
    const wanted = body(TakeDownSchema, request.body, reply);
    if (!wanted) return reply;
    return done(reply, sim.takeDown(request.params.id, wanted.code, wanted.how), 'no running instance of that id');
  });
  app.post<IdParams>('/_sim/instances/:id/checks', (request, reply) => {
    const wanted = body(ChecksSchema, request.body, reply);
    if (!wanted) return reply;
    return done(reply, sim.setImpairedChecks(request.params.id, wanted.failed), 'no instance of that id');
  });
  app.post<IdParams>('/_sim/instances/:id/events', (request, reply) => {
    const wanted = body(AnnouncedSchema, request.body, reply);
    if (!wanted) return reply;
    return done(reply, sim.setScheduledEvents(request.params.id, wanted.events), 'no instance of that id');
  });
  app.post<IdParams>('/_sim/instances/:id/imds', (request, reply) => {
    const faults = body(ImdsFaultsSchema, request.body, reply);
    if (!faults) return reply;
    const { id } = request.params;
    if (faults.spotAction) sim.tellInterruption(id, faults.spotAction.action);
    if (faults.rebalanceNoticeTime !== undefined) sim.tellRebalance(id);
    return done(reply, imds.setFaults(id, faults as ImdsFaults), 'no metadata listener for that id');
  });
}

function addFaultRoutes(app: FastifyInstance, { sim }: AdminParts): void {
  app.post('/_sim/faults', (request, reply) => {
    const fault = body(FaultSchema, request.body, reply);
    if (!fault) return reply;
    if (sim.faults().some((other) => other.id === fault.id)) return done(reply, false, `fault ${fault.id} exists`);
    sim.addFault(fault);
    return done(reply, true, '');
  });
  app.get('/_sim/faults', (_request, reply) => reply.send({ faults: sim.faults() }));
  app.delete('/_sim/faults', (_request, reply) => {
    sim.clearFaults();
    return reply.send({ ok: true });
  });
  app.post<{ Params: { az: string } }>('/_sim/zones/:az', (request, reply) => {
    const wanted = body(ZoneSchema, request.body, reply);
    if (!wanted) return reply;
    if (!sim.zones.includes(request.params.az)) return done(reply, false, `no zone ${request.params.az}`);
    changeZone(sim, request.params.az, wanted);
    return done(reply, true, '');
  });
  app.post('/_sim/capacity', (request, reply) => {
    const wanted = body(CapacitySchema, request.body, reply);
    if (!wanted) return reply;
    sim.setCapacity(wanted.az, wanted.instanceType, wanted.left);
    return done(reply, true, '');
  });
  app.post('/_sim/offerings', (request, reply) => {
    const wanted = body(OfferingSchema, request.body, reply);
    if (!wanted) return reply;
    sim.setOffered(wanted.az, wanted.instanceType, wanted.offered);
    return done(reply, true, '');
  });
  app.post('/_sim/instance-profiles', (request, reply) => {
    const wanted = body(ExistsSchema, request.body, reply);
    if (!wanted) return reply;
    sim.setInstanceProfile(wanted.name, wanted.exists);
    return done(reply, true, '');
  });
  app.post('/_sim/license-configurations', (request, reply) => {
    const wanted = body(ExistsSchema, request.body, reply);
    if (!wanted) return reply;
    sim.setLicenseConfiguration(wanted.name, wanted.exists);
    return done(reply, true, '');
  });
  app.post('/_sim/hosts', (request, reply) => {
    const wanted = body(HostSchema, request.body, reply);
    if (!wanted) return reply;
    const { exists, ...host } = wanted;
    sim.setHost(host, exists);
    return done(reply, true, '');
  });
  app.post('/_sim/product-codes', (request, reply) => {
    const wanted = body(CodesSchema, request.body, reply);
    if (!wanted) return reply;
    return done(reply, sim.setProductCodes(wanted.imageId, wanted.codes), `no image ${wanted.imageId}`);
  });
  app.post('/_sim/required-tags', (request, reply) => {
    const wanted = body(KeysSchema, request.body, reply);
    if (!wanted) return reply;
    sim.setRequiredTags(wanted.keys);
    return done(reply, true, '');
  });
  app.post('/_sim/quotas', (request, reply) => {
    const wanted = body(QuotasSchema, request.body, reply);
    if (!wanted) return reply;
    sim.setQuotas(wanted);
    return done(reply, true, '');
  });
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
  addInstanceRoutes(app, parts);
  addFaultRoutes(app, parts);
  addKmsRoutes(app, parts.sim);
  addScriptRoutes(app, parts.script);
  addSecretRoutes(app, parts.sim);
  addRoute53Routes(app, parts.sim);
  addElbv2Routes(app, parts.sim);
  addEventRoutes(app, parts.sim);
  addCommandRoutes(app, parts.sim);
  app.get('/_sim/state', (_request, reply) => reply.send(state(parts)));
  app.get<{ Querystring: { after?: string } }>('/_sim/events', (request, reply) => {
    const after = Number(request.query.after ?? 0);
    return reply.send({
      lastSeq: parts.sim.log.lastSeq,
      events: parts.sim.log.events(Number.isFinite(after) ? after : 0),
    });
  });
  app.get('/_sim/limits', (_request, reply) => reply.send({ notSimulated: NOT_SIMULATED }));
  app.post('/_sim/dns', (request, reply) => {
    const wanted = body(DnsSchema, request.body, reply);
    if (!wanted) return reply;
    parts.dns.mode = wanted.mode;
    return done(reply, true, '');
  });
}
