import { CloudSim, type SeededInstance } from '@understudy/cloud-sim';
import type { EnrolmentAnswer } from '@understudy/coordinator/testing';
import { deriveAgentKey, type MemberId, openKey, publicKeyOf, TAG } from '@understudy/shared';
import { SimClock } from '@understudy/shared/testing';
import { beforeEach, describe, expect, test } from 'vitest';
import { auditOf, command } from './commanding.ts';
import { KEYS, ScenarioCluster } from './scenario-cluster.ts';

const DB1: MemberId = 'prod/db1';
const secretOf = (fill: number): Uint8Array => new Uint8Array(32).fill(fill);

let world: ScenarioCluster;
let db1: SeededInstance;
let db2: SeededInstance;

beforeEach(async () => {
  world = new ScenarioCluster({ enrols: true });
  db1 = world.seed(DB1);
  db2 = world.seed('prod/db2', { az: 'us-east-1b' });
  for (const name of ['db3', 'db4']) world.seed(`prod/${name}`, { az: 'us-east-1c' });
  await world.up();
});

const pendingTime = (instanceId: string): string =>
  `${new Date(world.sim.core.region.instances.get(instanceId)?.launchedAtWallMs ?? 0).toISOString().slice(0, 19)}Z`;

const documentOf = (instanceId: string, privateIp: string, over: object = {}) =>
  JSON.stringify({
    ...{ accountId: '123456789012', instanceId, privateIp, region: 'us-east-1' },
    ...{ pendingTime: pendingTime(instanceId), ...over },
  });

interface Ask {
  readonly of?: { readonly instanceId: string; readonly privateIp: string };
  readonly member?: MemberId;
  readonly secret?: Uint8Array;
  readonly address?: string;
  readonly document?: string;
  readonly signedBy?: CloudSim;
  readonly node?: ScenarioCluster['nodes'][number];
}

/** Asks the leader, as its HTTP server does for an agent. */
function asking(over: Ask = {}): Promise<EnrolmentAnswer> {
  const { of = db1, member = DB1, secret = secretOf(1), signedBy = world.sim, node = world.mustLead() } = over;
  const { document = documentOf(of.instanceId, of.privateIp), address = of.privateIp } = over;
  return node.coordinator.api.enrolKey({
    ...{ member, address, publicKey: publicKeyOf(secret), requestId: 'r-1' },
    document: signedBy.identity.rsa2048(document),
  });
}

const ask = (over: Ask = {}): Promise<EnrolmentAnswer> => world.clock.runUntilSettled(asking(over));

const outcome = (answer: EnrolmentAnswer): string => (answer.kind === 'refused' ? answer.reason : answer.kind);
const records = () => world.kv.entries(KEYS.enrolments);
const looks = () => world.sim.log.calls('DescribeInstances').length;

function keyIn(answer: EnrolmentAnswer, secret: Uint8Array, instanceId: string, member = DB1): string {
  if (answer.kind !== 'given') throw new Error(`it is ${outcome(answer)}`);
  return openKey(answer.key, secret, { member, instanceId });
}

describe('an agent that shows the identity of its instance', () => {
  test("is given its member's own key, sealed, and the record says to whom", async () => {
    const answer = await ask();
    const key = Buffer.from(deriveAgentKey(world.master, 1, DB1)).toString('hex');
    expect(keyIn(answer, secretOf(1), db1.instanceId)).toBe(`1 ${key}`);
    expect(JSON.stringify(answer)).not.toContain(key);
    expect(records().map(({ key: path }) => path)).toEqual([KEYS.enrolment(DB1)]);
    expect(records()[0]?.value).not.toContain(key);
    await world.clock.advance(1_000);
    const { enrolments, refused } = world.mustLead().coordinator.api.enrolments();
    expect(enrolments).toMatchObject([{ member: DB1, instanceId: db1.instanceId, activated: true, opId: null }]);
    expect(refused).toEqual([]);
  });

  test('is answered the same again, whoever leads by then, and nothing is written for it', async () => {
    await ask();
    await world.clock.advance(1_000);
    const first = records()[0];
    const before = world.mustLead();
    await world.stop(before);
    await world.until('another one leads', () => world.leader() !== null && world.leader() !== before, 60_000);
    await world.clock.advance(30_000);
    const again = await ask();
    expect(again).toMatchObject({ kind: 'given', repeated: true });
    expect(keyIn(again, secretOf(1), db1.instanceId)).toMatch(/^1 [0-9a-f]{64}$/);
    expect(records()[0]).toEqual(first);
  });

  test('of whom two ask at once: one is given the key, the other is told that somebody else has it', async () => {
    const both = await world.clock.runUntilSettled(Promise.all([asking(), asking({ secret: secretOf(2) })]));
    expect(both.map(outcome).filter((one) => one === 'given')).toHaveLength(1);
    expect(both.map(outcome).every((one) => ['given', 'unavailable', 'AlreadyEnrolled'].includes(one))).toBe(true);
    await world.clock.advance(1_000);
    const loser = both[0]?.kind === 'given' ? secretOf(2) : secretOf(1);
    expect(outcome(await ask({ secret: loser }))).toBe('AlreadyEnrolled');
  });

  test('asks a follower in vain: only the leader answers', async () => {
    const follower = world.nodes.find((node) => !node.leads);
    if (!follower) throw new Error('no follower');
    expect(outcome(await ask({ node: follower }))).toBe('unavailable');
    expect(records()).toEqual([]);
  });
});

describe('refused, counted, and shown as a problem', () => {
  const shown = () => {
    const { problems } = world.mustLead().coordinator.api.status();
    return problems.filter(({ code }) => code === 'ENROLMENT_REFUSED').map(({ text }) => text);
  };
  const refusedFor = async (reason: string, over: Ask, asks: number) => {
    const before = looks();
    expect(outcome(await ask(over))).toBe(reason);
    expect(looks() - before, 'questions to EC2').toBeLessThanOrEqual(asks);
    expect(records()).toEqual([]);
    expect(shown().join()).toContain(reason);
    const { metrics } = world.mustLead().coordinator;
    expect(await metrics.text()).toContain(`understudy_key_enrolments_total{outcome="${reason}"} 1`);
  };

  test('a document that is sent from another address', () =>
    refusedFor('AddressForeign', { address: db2.privateIp }, 0));

  test('a document of another account', () => {
    const document = documentOf(db1.instanceId, db1.privateIp, { accountId: '999999999999' });
    return refusedFor('AccountForeign', { document }, 0);
  });

  test('a document of another Region', () => {
    const document = documentOf(db1.instanceId, db1.privateIp, { region: 'eu-west-1' });
    return refusedFor('RegionForeign', { document }, 0);
  });

  test('a document that somebody else has signed', () =>
    refusedFor('SignatureWrong', { signedBy: new CloudSim({ clock: new SimClock() }) }, 0));

  test('an instance of another member, by its tags', () => refusedFor('TagsOther', { of: db2 }, 1));

  test('an instance that EC2 does not know', () =>
    refusedFor('InstanceUnknown', { document: documentOf('i-0123456789abcdef0', db1.privateIp) }, 1));

  test('a document from before the last start', () => {
    const document = documentOf(db1.instanceId, db1.privateIp, { pendingTime: '2020-01-01T00:00:00Z' });
    return refusedFor('DocumentOutdated', { document }, 1);
  });

  test('a second instance with the tags of the member, which is not the activated one', () => {
    const twin = world.seed(DB1, { az: 'us-east-1b' });
    return refusedFor('NotTheInstance', { of: twin }, 1);
  });

  test('a key that nothing can be sealed to', async () => {
    const { api } = world.mustLead().coordinator;
    const document = world.sim.identity.rsa2048(documentOf(db1.instanceId, db1.privateIp));
    const publicKey = Buffer.alloc(32).toString('base64url');
    const request = { member: DB1, address: db1.privateIp, document, publicKey, requestId: 'r' };
    expect(outcome(await world.clock.runUntilSettled(api.enrolKey(request)))).toBe('KeyUnusable');
  });

  test('a stopped and a terminated instance', async () => {
    const document = documentOf(db1.instanceId, db1.privateIp);
    await world.clock.runUntilSettled(world.sim.call('StopInstances', { InstanceIds: [db1.instanceId] }));
    await world.clock.advance(120_000);
    expect(world.sim.core.region.instances.get(db1.instanceId)?.state).toBe('stopped');
    expect(outcome(await ask({ document }))).toBe('InstanceNotRunning');
    await world.clock.runUntilSettled(world.sim.call('TerminateInstances', { InstanceIds: [db1.instanceId] }));
    await world.clock.advance(60_000);
    expect(['InstanceNotRunning', 'InstanceUnknown', 'NotTheInstance']).toContain(outcome(await ask({ document })));
    expect(records()).toEqual([]);
  });

  test('a second enrolment of the same instance, until an operator resets the first', async () => {
    await ask();
    await world.clock.advance(1_000);
    expect(outcome(await ask({ secret: secretOf(2) }))).toBe('AlreadyEnrolled');
    expect(shown().join()).toContain(`${db1.instanceId} has been given the key of ${DB1}`);
    const revision = records()[0]?.modRevision ?? 0;
    const stale = await command(world, { kind: 'reset-enrolment', member: DB1, revision: revision - 1 });
    expect(stale).toMatchObject({ kind: 'refused', code: 'REVISION_STALE' });
    expect(await command(world, { kind: 'reset-enrolment', member: DB1, revision })).toMatchObject({ kind: 'done' });
    await world.clock.advance(20_000);
    const answer = await ask({ secret: secretOf(2) });
    expect(keyIn(answer, secretOf(2), db1.instanceId)).toMatch(/^1 /);
    expect(auditOf(world).map(({ kind, about }) => [kind, about])).toEqual([['reset-enrolment', DB1]]);
    await world.clock.advance(1_000);
    expect(outcome(await ask())).toBe('AlreadyEnrolled');
  });

  test('one that asks on and on: EC2 is asked a few times, others are answered meanwhile', async () => {
    await ask();
    await world.clock.advance(1_000);
    const before = looks();
    for (let count = 0; count < 60; count += 1) await ask({ secret: secretOf(2) });
    expect(looks() - before).toBeLessThan(15);
    expect(outcome(await ask({ secret: secretOf(2) }))).toBe('TooOften');
    expect((await ask({ of: db2, member: 'prod/db2', secret: secretOf(3) })).kind).toBe('given');
  });
});

test('one address that sends whatever it likes uses up its own pace, and not that of others', async () => {
  const { api } = world.mustLead().coordinator;
  const rubbish = (address: string) =>
    api.enrolKey({ member: DB1, address, publicKey: '', document: 'no document', requestId: 'r' });
  const flood = await Promise.all(Array.from({ length: 500 }, () => rubbish('10.9.9.9')));
  const heard = flood.filter((answer) => outcome(answer) === 'DocumentUnreadable').length;
  expect(heard).toBeLessThanOrEqual(12);
  expect(flood.filter((answer) => outcome(answer) === 'TooOften')).toHaveLength(500 - heard);
  expect(outcome(await ask())).toBe('given');
  // All of them together have a bound too.
  const many = await Promise.all(
    Array.from({ length: 400 }, (_, index) => rubbish(`10.8.${index >> 8}.${index & 255}`)),
  );
  const looked = many.filter((answer) => outcome(answer) === 'DocumentUnreadable').length;
  expect(looked).toBeGreaterThan(100);
  expect(looked).toBeLessThan(300);
});

describe('while something goes wrong', () => {
  test('EC2 does not answer: nothing is given, and the agent asks again', async () => {
    const fault = { kind: 'error', code: 'ServiceUnavailable', httpStatus: 503, times: 500 } as const;
    world.sim.addFault({ id: 'silent', action: 'DescribeInstances', ...fault });
    expect(outcome(await ask())).toBe('unavailable');
    expect(world.sim.faults()[0]?.fired).toBeGreaterThan(0);
    world.sim.clearFaults();
    await world.clock.advance(20_000);
    expect(outcome(await ask())).toBe('given');
  });

  test('a leader that is paused between its look at EC2 and its write gives nothing; the next one does', async () => {
    const leader = world.mustLead();
    const host = world.hosts.find(({ id }) => id === leader.id);
    if (!host) throw new Error('no host');
    const pending = asking({ node: leader });
    const settled = pending.catch((error: unknown) => error);
    host.pauseFor(600_000);
    await world.until('another one leads', () => world.nodes.some((one) => one !== leader && one.leads), 120_000);
    const other = world.nodes.find((one) => one !== leader && one.leads);
    if (!other) throw new Error('nobody else leads');
    await world.clock.advance(30_000);
    expect((await ask({ node: other, secret: secretOf(2) })).kind).toBe('given');
    await world.clock.advance(700_000);
    expect(await settled).not.toMatchObject({ kind: 'given' });
    expect(records()).toHaveLength(1);
    expect(records()[0]?.value).toContain(publicKeyOf(secretOf(2)));
  });
});

test('the replacement that a recovery launches enrols while it is open; its predecessor does not any more', async () => {
  await ask();
  await world.clock.advance(1_000);
  world.crash(db1.instanceId);
  const successor = () =>
    world.sim.core.region.instances
      .all()
      .find((one) => one.id !== db1.instanceId && one.tags[TAG.member] === 'db1' && one.state === 'running');
  await world.until('a replacement runs', () => successor() !== undefined, 600_000);
  const id = successor()?.id ?? '';
  const interfaceId = world.sim.core.region.instances.get(id)?.networkInterfaceIds[0] ?? '';
  const privateIp = world.sim.core.region.networkInterfaces.get(interfaceId)?.privateIp ?? '';
  const open = world.intent(DB1);
  expect(open).not.toBeNull();
  const again = () => ask({ of: { instanceId: id, privateIp }, secret: secretOf(5) });
  let answer = await again();
  // EC2 says for a while what was so before; an agent asks again.
  for (let tries = 0; tries < 30 && outcome(answer) === 'InstanceNotRunning'; tries += 1) {
    await world.clock.advance(2_000);
    answer = await again();
  }
  expect(keyIn(answer, secretOf(5), id)).toMatch(/^1 [0-9a-f]{64}$/);
  await world.clock.advance(1_000);
  expect(world.mustLead().coordinator.api.enrolments().enrolments).toMatchObject([
    { instanceId: id, opId: open?.opId },
  ]);
  expect(['InstanceNotRunning', 'NotTheInstance']).toContain(outcome(await ask()));
  await world.until('replaced', () => world.history(DB1).length > 0, 600_000);
  expect(['InstanceNotRunning', 'InstanceUnknown', 'NotTheInstance']).toContain(outcome(await ask()));
  expect(await ask({ of: { instanceId: id, privateIp }, secret: secretOf(5) })).toMatchObject({ repeated: true });
});

test('where enrolment is not configured nobody is given a key', async () => {
  const plain = new ScenarioCluster();
  const one = plain.seed('prod/db1');
  plain.seed('prod/db2', { az: 'us-east-1b' });
  await plain.up();
  const { api } = plain.mustLead().coordinator;
  const document = plain.sim.identity.rsa2048('{}');
  const request = {
    member: DB1,
    address: one.privateIp,
    document,
    publicKey: publicKeyOf(secretOf(1)),
    requestId: 'r',
  };
  expect(await plain.clock.runUntilSettled(api.enrolKey(request))).toMatchObject({ kind: 'off' });
});
