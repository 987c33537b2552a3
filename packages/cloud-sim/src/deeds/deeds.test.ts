import { SeededRandom, silentLog } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { FAULT_KINDS } from '../core/faults.ts';
import { type TestRegion, testRegion } from '../core/region.fixtures.ts';
import { DnsResponder } from '../http/dns-responder.ts';
import { ImdsEndpoints } from '../http/imds-endpoints.ts';
import { buildServer } from '../http/server.ts';
import { ScriptRun } from '../script/script-run.ts';
import type { WrittenScript } from '../script/script-schema.ts';
import { seedInstance } from '../seed-instance.ts';
import { DEEDS } from './index.ts';

type Said = WrittenScript['steps'][number]['do'];
type DeedName = (typeof DEEDS)[number]['name'];

interface Shown {
  readonly one: TestRegion;
  readonly id: string;
  readonly mode: () => string;
  readonly metadata: () => unknown;
}

interface Case {
  /** What has to be there before. */
  readonly before?: readonly Said[];
  readonly said: Said;
  /** What it does, as it is seen in the Region. */
  readonly shows: (shown: Shown) => unknown;
  readonly to: unknown;
}

const AZ = 'us-east-1a';
const DB = { tags: { 'understudy:member': 'one' } };
const regionOf = ({ one }: Shown) => one.sim.core.region;
const dbOf = (shown: Shown) => regionOf(shown).instances.get(shown.id);
const volumeOf = (shown: Shown) => regionOf(shown).volumes.get(dbOf(shown)?.volumeIds[0] ?? '');
const zoneOf = ({ one }: Shown) => one.sim.dns.all()[0];
const queueOf = ({ one }: Shown) => one.sim.queues.byName('q');
const KEY = { kmsKey: { alias: 'alias/disks' } } as const;
const HOSTED = { hostedZone: { name: 'db.test' } } as const;
const FRONT = { loadBalancer: { name: 'front', vpcId: 'vpc-1', zones: [AZ] } };
const QUEUE = { queue: { name: 'q' } } as const;
const SLOW_READ = { id: 'stale', action: 'DescribeInstances', kind: 'stale-read' } as const;
const EVENT = { eventId: 'e-1', code: 'instance-stop', description: 'stop', notBeforeWallMs: 1 };
const host = { id: 'h-0a', az: AZ, autoPlacement: true };
const A = { Name: 'one.db.test.', Type: 'A', TTL: 5, ResourceRecords: [{ Value: '10.0.0.9' }] };
const UNRULY = { redelivered: 0.5, afterDelete: 0.25, missed: 0.125 };
const BAD_BUS = { lost: 0.5, duplicated: 0.25, late: 0.125 };

const QUEUE_ARN = 'arn:aws:sqs:us-east-1:123456789012:q';
const SOURCE = { ArnEquals: { 'aws:SourceArn': 'arn:aws:events:us-east-1:123456789012:rule/r' } };
const SEND = { Effect: 'Allow', Principal: { Service: 'events.amazonaws.com' }, Action: 'sqs:SendMessage' };
const LET_IN = { Statement: [{ ...SEND, Resource: QUEUE_ARN, Condition: SOURCE }] };

/** Each deed, and what it changes. A deed without a line here does not compile. */
const CASES: Readonly<Record<DeedName, Case>> = {
  managed: {
    said: { managed: DB, cutOff: true, frozen: true },
    shows: ({ one, id }) => one.sim.commands.nodes.get(id),
    to: expect.objectContaining({ isCutOff: true, isFrozen: true }),
  },
  scripts: {
    said: { scripts: { exitCode: 3, output: 'no', duplicated: 0.5 } },
    shows: ({ one }) => [one.sim.commands.guest('i-1', []), one.sim.commands.duplicated],
    to: [{ exitCode: 3, output: 'no', errors: '', tookMs: 100 }, 0.5],
  },
  fault: { said: { fault: SLOW_READ }, shows: ({ one }) => one.sim.faults().map(({ id }) => id), to: ['stale'] },
  clearFault: {
    before: [{ fault: SLOW_READ }, { fault: { ...SLOW_READ, id: 'other' } }],
    said: { clearFault: 'stale' },
    shows: ({ one }) => one.sim.faults().map(({ id }) => id),
    to: ['other'],
  },
  zone: {
    said: { zone: { az: AZ, change: { fail: 'power' } } },
    shows: (s) => regionOf(s).failedZones.has(AZ),
    to: true,
  },
  capacity: {
    said: { capacity: { az: AZ, instanceType: 't3.micro', left: 0 } },
    shows: (s) => regionOf(s).capacity.get(`${AZ}/t3.micro`),
    to: 0,
  },
  offering: {
    said: { offering: { az: AZ, instanceType: 't3.micro', offered: false } },
    shows: (s) => regionOf(s).notOffered.has(`${AZ}/t3.micro`),
    to: true,
  },
  quotas: { said: { quotas: { volumes: 3 } }, shows: (s) => regionOf(s).quotas.volumes, to: 3 },
  latency: {
    said: { latency: { 'consistency.created': [4_000, '4s'], 'api.StopInstances.request': [1, 2] } },
    shows: (s) => regionOf(s).latency.range('consistency.created'),
    to: [4_000, 4_000],
  },
  crash: { said: { crash: DB }, shows: (s) => dbOf(s)?.crashedAtMs !== null, to: true },
  failHost: { said: { failHost: DB }, shows: (s) => dbOf(s)?.impairedChecks, to: ['system'] },
  shutDown: { said: { shutDown: DB }, shows: (s) => dbOf(s)?.state, to: 'stopping' },
  takeDown: {
    said: { takeDown: DB, code: 'Server.SpotInstanceTermination', how: 'terminate' },
    shows: (s) => dbOf(s)?.state,
    to: 'shutting-down',
  },
  checks: {
    said: { checks: DB, failed: ['attached-ebs'] },
    shows: (s) => dbOf(s)?.impairedChecks,
    to: ['attached-ebs'],
  },
  announce: {
    said: { announce: DB, events: [EVENT] },
    shows: (s) => dbOf(s)?.events.map(({ eventId }) => eventId),
    to: ['e-1'],
  },
  metadata: { said: { metadata: DB, throttled: true }, shows: (s) => s.metadata(), to: { throttled: true } },
  holdBackIo: {
    said: { holdBackIo: { of: DB, device: '/dev/xvda' } },
    shows: (s) => volumeOf(s)?.ioEnabled,
    to: false,
  },
  fastRestore: {
    said: { fastRestore: { az: AZ, snapshotId: 'snap-1', enabled: true } },
    shows: (s) => regionOf(s).fastRestores.has(`${AZ}/snap-1`),
    to: true,
  },
  kmsKey: { said: KEY, shows: (s) => regionOf(s).kmsKeys.find('alias/disks')?.state, to: 'Enabled' },
  changeKmsKey: {
    before: [KEY],
    said: { changeKmsKey: { do: 'disable', name: 'alias/disks' } },
    shows: (s) => regionOf(s).kmsKeys.find('alias/disks')?.state,
    to: 'Disabled',
  },
  secret: {
    said: { secret: { store: 'ssm', name: '/token', value: 'x', access: 'none' } },
    shows: (s) => regionOf(s).secretValues.get('ssm', '/token')?.access,
    to: 'none',
  },
  instanceProfile: {
    said: { instanceProfile: { name: 'role', exists: true } },
    shows: (s) => regionOf(s).instanceProfiles.has('role'),
    to: true,
  },
  licenseConfiguration: {
    said: { licenseConfiguration: { name: 'lic', exists: true } },
    shows: (s) => regionOf(s).licenseConfigurations.has('lic'),
    to: true,
  },
  host: { said: { host: { ...host, exists: true } }, shows: (s) => regionOf(s).hosts.get('h-0a'), to: host },
  productCodes: {
    said: { productCodes: { imageId: 'IMAGE', codes: ['abc'] } },
    shows: (s) => [...regionOf(s).productCodes.values()],
    to: [['abc']],
  },
  requiredTags: {
    said: { requiredTags: { keys: ['owner'] } },
    shows: (s) => [...regionOf(s).requiredTags],
    to: ['owner'],
  },
  deniedActions: {
    said: { deniedActions: { actions: ['StopInstances'] } },
    shows: (s) => [...regionOf(s).deniedActions],
    to: ['StopInstances'],
  },
  nameServer: { said: { nameServer: { mode: 'silent' } }, shows: (s) => s.mode(), to: 'silent' },
  hostedZone: { said: HOSTED, shows: (s) => zoneOf(s)?.name, to: 'db.test.' },
  record: {
    before: [HOSTED],
    said: { record: { zoneId: 'db.test', record: A } },
    shows: (s) => [...(zoneOf(s)?.records.values() ?? [])],
    to: [A],
  },
  protectRecord: {
    before: [HOSTED],
    said: { protectRecord: { zoneId: 'db.test', name: 'one.db.test', type: 'A', on: true } },
    shows: (s) => [...(zoneOf(s)?.protections ?? [])],
    to: ['one.db.test. A'],
  },
  recordRefusals: {
    said: { recordRefusals: { messages: true } },
    shows: (s) => regionOf(s).dns.refusesInMessages,
    to: true,
  },
  loadBalancer: {
    said: FRONT,
    shows: ({ one }) => one.sim.balancing.balancers().map(({ name }) => name),
    to: ['front'],
  },
  targetGroup: {
    said: { targetGroup: { name: 'web', port: 80, vpcId: 'vpc-1' } },
    shows: ({ one }) => one.sim.balancing.groups().map(({ name }) => name),
    to: ['web'],
  },
  zonalShift: {
    before: [FRONT],
    said: { zonalShift: { loadBalancerArn: 'front', zones: [AZ] } },
    shows: ({ one }) => one.sim.balancing.balancers()[0]?.shiftedZones,
    to: [AZ],
  },
  targetChecks: {
    said: { targetChecks: { target: DB, failing: true } },
    shows: (s) => s.one.sim.balancing.failingChecks.has(s.id),
    to: true,
  },
  queue: { said: QUEUE, shows: (s) => queueOf(s)?.settings.visibilityTimeoutMs, to: 30_000 },
  unrulyQueue: {
    before: [QUEUE],
    said: { unrulyQueue: { name: 'q', unruly: UNRULY } },
    shows: (s) => queueOf(s)?.unruly,
    to: UNRULY,
  },
  queueMessage: {
    before: [QUEUE],
    said: { queueMessage: { name: 'q', body: 'made up' } },
    shows: (s) => queueOf(s)?.waiting,
    to: 1,
  },
  eventRule: {
    before: [QUEUE],
    said: { eventRule: { name: 'r', pattern: { source: ['aws.ec2'] }, queueArn: 'arn:q' } },
    shows: ({ one }) => one.sim.events.removeRule('r'),
    to: true,
  },
  unrulyEvents: { said: { unrulyEvents: BAD_BUS }, shows: ({ one }) => one.sim.events.unruly, to: BAD_BUS },
  trail: { said: { trail: { on: false } }, shows: ({ one }) => one.sim.events.hasTrail, to: false },
  forgeEvent: {
    before: [
      { queue: { name: 'q', policy: LET_IN } },
      { eventRule: { name: 'r', pattern: { source: ['aws.ec2'] }, queueArn: QUEUE_ARN } },
    ],
    said: { forgeEvent: { source: 'aws.ec2', 'detail-type': 'made up' } },
    shows: ({ one }) => one.sim.events.delivered,
    to: 1,
  },
};

/** A Region with one member, and a script that is to run on it. */
function scripted(steps: WrittenScript['steps']) {
  const one = testRegion();
  const db = seedInstance(one.sim, { member: 'db/one' });
  const dns = { mode: 'answer' as 'answer' | 'nxdomain' | 'silent' };
  let faults: unknown = null;
  const imds = {
    setFaults: (id: string, set: unknown): boolean => {
      faults = set;
      return id === db.instanceId;
    },
  };
  const run = new ScriptRun(one.sim, silentLog, { imds, dns });
  const text = JSON.stringify(steps).replaceAll('IMAGE', one.sim.defaultResources.imageId);
  run.start({ name: 'deeds', steps: JSON.parse(text) as WrittenScript['steps'] });
  return { run, shown: { one, id: db.instanceId, mode: () => dns.mode, metadata: () => faults } };
}

describe.each(Object.entries(CASES))('the deed %s', (_name, { before = [], said, shows, to }) => {
  test('is done by a script at its moment, and not before', async () => {
    const steps = [...before.map((one) => ({ at: 1, do: one })), { at: '10s', do: said }];
    const { run, shown } = scripted(steps);
    await shown.one.clock.advance(9_000);
    expect(shows(shown)).not.toEqual(to);
    await shown.one.clock.advance(2_000);
    expect(run.states().map(({ state }) => state)).toEqual(steps.map(() => 'done'));
    expect(shows(shown)).toEqual(to);
  });
});

test.each(FAULT_KINDS)('the fault %s is there from the moment that a script says', async (kind) => {
  const { run, shown } = scripted([{ at: '10s', do: { fault: { id: 'ill', action: '*', kind } } }]);
  await shown.one.clock.advance(9_000);
  expect(shown.one.sim.faults()).toEqual([]);
  await shown.one.clock.advance(2_000);
  expect(run.states()[0]?.state).toBe('done');
  expect(shown.one.sim.faults()).toMatchObject([{ id: 'ill', kind }]);
});

test.each<Said>([
  { clearFault: 'none' },
  { zone: { az: 'us-east-1x', change: { impaired: true } } },
  { crash: { tags: { 'understudy:member': 'nobody' } } },
  { changeKmsKey: { do: 'disable', name: 'alias/none' } },
  { record: { zoneId: 'none', record: A } },
  { zonalShift: { loadBalancerArn: 'none', zones: [] } },
  { unrulyQueue: { name: 'none', unruly: UNRULY } },
])('%j misses where there is nothing to do it to', async (said) => {
  const { run, shown } = scripted([{ at: 1, do: said }]);
  await shown.one.clock.advance(1_000);
  expect(run.states()[0]?.state).toBe('missed');
});

test('the same fault twice misses, and breaks nothing', async () => {
  const { run, shown } = scripted([1, 2].map((at) => ({ at, do: { fault: SLOW_READ } })));
  await shown.one.clock.advance(1_000);
  expect(run.states().map(({ state }) => state)).toEqual(['done', 'missed']);
});

test('a row of the latency table is put back by null', () => {
  const { sim } = testRegion({ latency: { 'volume.create': [1, 2] } });
  const { latency } = sim.core.region;
  const drawn = () => [latency.range('volume.create'), latency.apiMs('StopInstances', 'request')];
  sim.setLatency({ 'volume.create': [7, 7], 'api.StopInstances.request': [9, 9] });
  expect(drawn()).toEqual([[7, 7], 9]);
  sim.setLatency({ 'volume.create': null, 'api.StopInstances.request': null });
  expect(latency.range('volume.create')).toEqual([1, 2]);
  expect(latency.apiMs('StopInstances', 'request')).toBeGreaterThanOrEqual(15);
});

test('every deed has a name, a route and a schema of its own', async () => {
  const { sim } = testRegion();
  const parts = { sim, imds: new ImdsEndpoints(sim, new SeededRandom(1)), dns: new DnsResponder(), dnsPort: 0 };
  const script = new ScriptRun(sim, silentLog);
  const rules = { region: 'us-east-1', accessKeyIds: [], clockSkewMaxMs: 0 };
  const app = buildServer({ ...parts, script, machines: () => ({}) }, rules);
  await app.ready();
  for (const { path } of DEEDS) expect(app.hasRoute({ method: 'POST', url: `/_sim${path}` }), path).toBe(true);
  expect(new Set(DEEDS.map(({ name }) => name)).size).toBe(DEEDS.length);
  await Promise.all([app.close(), parts.dns.close()]);
});
