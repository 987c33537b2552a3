import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CloudSim,
  CloudSimConfigSchema,
  type FaultKind,
  inProcessService,
  seedInstance,
  startCloudSim,
} from '@understudy/cloud-sim';
import { dnsRecordsOver, sdkElbv2Transport, sdkRoute53Transport, targetGroupsOver } from '@understudy/aws';
import { silentLog } from '@understudy/shared';
import { SystemClock } from '@understudy/shared/node';
import {
  IDENTITY_CONTRACT,
  type IdentityContractCase,
  type IdentityContractFault,
  type IdentityContractFixture,
  SeededRandom,
  SimClock,
} from '@understudy/shared/testing';
import { describe, it } from 'vitest';
import { underGeneratedPolicy } from '../iam/generated-policy.ts';

const KINDS: Readonly<Record<IdentityContractFault, FaultKind>> = {
  throttle: 'throttle',
  'internal-error': 'error',
  'foreign-answer': 'foreign-answer',
  'lost-reply': 'timeout-after-success',
};

const SPEED = 500;

/** Under the policy that a coordinator's role is told to have, for these zones and groups. */
const RIGHTS = {
  ...{ groups: ['db'], hostedZones: ['*'] },
  targetGroups: ['arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/*'],
};

/** What the world does, done to the simulated one directly. */
function worldOf(sim: CloudSim): Omit<IdentityContractFixture, 'dns' | 'targetGroups' | 'sleep'> {
  sim.setAuthorize(underGeneratedPolicy(RIGHTS));
  const vpcId = sim.core.region.vpcs.all()[0]?.id ?? '';
  return {
    zone: async () => {
      const { id } = sim.dns.make({ name: 'example.com' });
      const values = { TTL: 60, ResourceRecords: [{ Value: '10.0.0.1' }] };
      sim.dns.setRecord(id, { Name: 'db.example.com', Type: 'A', ...values });
      return id;
    },
    protect: async (zoneId, name) => sim.dns.protect(zoneId, name, 'A', true),
    olderForm: async (on) => {
      sim.dns.refusesInMessages = on;
    },
    targetGroup: async () => {
      const { arn } = sim.balancing.makeBalancer({ name: 'front', vpcId, zones: sim.zones });
      return sim.balancing.make({ name: 'web', port: 80, vpcId, loadBalancerArn: arn }).arn;
    },
    runningInstance: async () => seedInstance(sim).instanceId,
    stoppedInstance: async () => {
      const { instanceId } = seedInstance(sim);
      sim.seed('StopInstances', { InstanceIds: [instanceId] });
      return instanceId;
    },
    fault: async (action, kind) => {
      sim.addFault({ id: kind, action, kind: KINDS[kind] });
      return { firedCount: async () => sim.fired(kind) };
    },
  };
}

async function inProcess(one: IdentityContractCase): Promise<void> {
  const clock = new SimClock();
  const sim = new CloudSim({ clock });
  const parts = { clock, callTimeoutMs: 1_000 };
  await clock.runUntilSettled(
    one.run({
      ...worldOf(sim),
      dns: dnsRecordsOver({ transport: inProcessService(sim, 'route53'), ...parts }),
      targetGroups: targetGroupsOver({ transport: inProcessService(sim, 'elasticloadbalancing'), ...parts }),
      sleep: (durationMs) => clock.sleep(durationMs),
    }),
  );
}

async function overHttp(one: IdentityContractCase): Promise<void> {
  const clock = new SystemClock();
  const workDir = await mkdtemp(join(tmpdir(), 'understudy-identity-'));
  const config = CloudSimConfigSchema.parse({ http: { port: 0 }, speed: SPEED, workDir });
  const server = await startCloudSim(config, { clock, random: new SeededRandom(1), log: silentLog, env: {} });
  const credentials = { accessKeyId: 'AKIAACCEPTED', secretAccessKey: 'secret' };
  const options = { region: config.region, endpoint: server.url, credentials, callTimeoutMs: 1_000 };
  const [route53, elbv2] = [sdkRoute53Transport(options), sdkElbv2Transport(options)];
  const parts = { clock, callTimeoutMs: 2_000 };
  try {
    await one.run({
      ...worldOf(server.sim),
      dns: dnsRecordsOver({ transport: route53.send, ...parts }),
      targetGroups: targetGroupsOver({ transport: elbv2.send, ...parts }),
      sleep: (durationMs) => clock.sleep(durationMs / SPEED),
    });
  } finally {
    route53.close();
    elbv2.close();
    await server.close();
    await rm(workDir, { recursive: true, force: true });
  }
}

describe('Route 53 and target groups in process', () => it.each(IDENTITY_CONTRACT)('$name', inProcess));
describe('Route 53 and target groups over the SDK and HTTP', () => it.each(IDENTITY_CONTRACT)('$name', overHttp));
