import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CloudSim, type SeededInstance, seedInstance } from '@understudy/cloud-sim';
import { keyspace, TAG } from '@understudy/shared';
import { SimClock } from '@understudy/shared/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { wrongLaunches } from '../../faults/audit/invariants.ts';
import { Recorder, type SeenRecovery } from '../../faults/audit/recorder.ts';

const OP = 'op-1';
let clock: SimClock;
let sim: CloudSim;
let recorder: Recorder;
let old: SeededInstance;
let other: SeededInstance;
let servingDir: string;

beforeEach(() => {
  clock = new SimClock();
  sim = new CloudSim({ clock });
  servingDir = mkdtempSync(join(tmpdir(), 'understudy-serving-'));
  recorder = new Recorder(sim, servingDir);
  old = seedInstance(sim, { member: 'lab/orders' });
  other = seedInstance(sim, { member: 'lab/other', az: old.az });
});
afterEach(() => rmSync(servingDir, { recursive: true }));

const call = async (action: string, input: Record<string, unknown>): Promise<void> => {
  const answer = sim.call(action, input);
  await clock.advance(120_000);
  expect(await answer).toHaveProperty('output');
};
const stop = (instanceId: string) => call('StopInstances', { InstanceIds: [instanceId] });
const terminate = (instanceId: string) => call('TerminateInstances', { InstanceIds: [instanceId] });
const launch = (token: string, marks: Readonly<Record<string, string>> = {}) =>
  call('RunInstances', {
    ...{
      ImageId: sim.defaultResources.imageId,
      InstanceType: 't3.micro',
      MinCount: 1,
      MaxCount: 1,
      ClientToken: token,
      SubnetId: old.subnetId,
    },
    TagSpecifications: [{ ResourceType: 'instance', Tags: tagsOf({ [TAG.op]: OP, ...marks }) }],
  });
const tagsOf = (tags: Readonly<Record<string, string>>) => Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
/** A seed that was launched while the member was only suspect, and stopped. */
async function seed(): Promise<string> {
  await launch('seed', { [TAG.preparedFor]: 'lab/orders' });
  const [instanceId = ''] = recorder.launchedFor(OP);
  await stop(instanceId);
  return instanceId;
}
const nameMember = (instanceId: string) =>
  call('CreateTags', { Resources: [instanceId], Tags: tagsOf({ [TAG.member]: 'orders' }) });
const start = (instanceId: string) => call('StartInstances', { InstanceIds: [instanceId] });
/** A disk that another machine had. */
async function attach(instanceId: string): Promise<void> {
  const [VolumeId] = Object.values(other.volumeIds);
  await stop(other.instanceId);
  await call('DetachVolume', { VolumeId });
  await call('AttachVolume', { VolumeId, InstanceId: instanceId, Device: '/dev/sdz' });
}
const wrong = (revisions: Partial<SeenRecovery> = {}): string[] =>
  wrongLaunches(recorder, {
    ...{
      opId: OP,
      member: 'lab/orders',
      oldInstanceId: old.instanceId,
      fencedRevision: 5,
      fencedByLease: false,
      hasSeed: false,
      launchRevision: 7,
      outcome: null,
    },
    ...revisions,
  }).map((text) => text.slice(0, 2));

describe('launches of a recovery', () => {
  it('are in order after the stop, one at a time', async () => {
    await stop(old.instanceId);
    await launch('one');
    expect(wrong()).toEqual([]);
    await terminate(recorder.launchedFor(OP)[0] ?? '');
    await launch('two');
    expect(recorder.launchedFor(OP)).toHaveLength(2);
    expect(wrong()).toEqual([]);
  });

  it('violate I3 before the old instance has stopped, or before etcd has an observed fence', async () => {
    await launch('early');
    await stop(old.instanceId);
    expect(wrong()).toEqual(['I3']);
    expect(wrong({ fencedRevision: 8 })).toEqual(['I3', 'I3']);
    expect(wrong({ fencedRevision: null })).toEqual(['I3', 'I3']);
  });

  it('violate I1 beside one that has not terminated', async () => {
    await stop(old.instanceId);
    await launch('one');
    await launch('two');
    expect(wrong()).toEqual(['I1']);
  });
});

describe('a seed that was launched for a suspect', () => {
  it('may be launched before the stop, and becomes the member after it', async () => {
    const instanceId = await seed();
    expect(wrong({ launchRevision: null })).toEqual([]);
    await stop(old.instanceId);
    await attach(instanceId);
    await nameMember(instanceId);
    await start(instanceId);
    expect(wrong({ launchRevision: null })).toEqual([]);
  });

  it.each([
    ['gets the tag of the member', nameMember],
    ['gets a disk', attach],
    ['is started', start],
  ])('violates I3 where it %s before the old instance has stopped', async (_what, deed) => {
    const instanceId = await seed();
    await deed(instanceId);
    await stop(old.instanceId);
    // What is done again afterwards makes up for nothing.
    if (deed !== attach) await deed(instanceId);
    expect(wrong({ launchRevision: null })).toEqual(['I3']);
    expect(wrong({ launchRevision: null, fencedByLease: true })).toEqual([]);
  });

  it('takes no other tag for that of the member, and no question for a deed', async () => {
    const instanceId = await seed();
    await call('CreateTags', { Resources: [instanceId], Tags: tagsOf({ Name: 'spare' }) });
    const question = sim.call('StartInstances', { InstanceIds: [instanceId], DryRun: true });
    await clock.advance(1_000);
    expect(await question).toMatchObject({ error: { code: 'DryRunOperation' } });
    expect(wrong({ launchRevision: null })).toEqual([]);
  });

  it('excuses no launch beside it', async () => {
    const instanceId = await seed();
    await terminate(instanceId);
    await launch('early');
    expect(wrong({ launchRevision: null })).toEqual(['I3']);
    expect(wrong({ launchRevision: 4 })).toEqual(['I3', 'I3']);
  });
});

describe('the records of a recovery that goes on with a seed', () => {
  const [{ key, record }] = JSON.parse(readFileSync('test/fixtures/records/intent.v1.74.json', 'utf8'));
  const { opId } = record;
  const put = (path: string, value: unknown, modRevision: number): void =>
    recorder.onKey({
      kind: 'put',
      entry: { key: path, value: JSON.stringify(value), createRevision: 1, modRevision, leaseId: null },
    });
  const step = (name: string, state: string, modRevision: number): void =>
    put(keyspace().journalStep(opId, name), { state }, modRevision);
  const revisions = () => recorder.recoveries.get(opId);

  it('take the launch of the seed for none, and any other for one', () => {
    put(key, record, 3);
    step('launch-1', 'started', 4);
    expect(revisions()).toMatchObject({ hasSeed: true, launchRevision: null });
    step('fence', 'done', 5);
    step('launch-2', 'started', 6);
    expect(revisions()).toMatchObject({ fencedRevision: 5, launchRevision: 6 });
  });

  it('take a first launch for one where the plan has no seed in quarantine', () => {
    const { seed: image, ...plan } = record.plan;
    put(key, { ...record, plan: { ...plan, seed: { ...image, inQuarantine: undefined } } }, 3);
    step('launch-1', 'started', 4);
    expect(revisions()).toMatchObject({ hasSeed: false, launchRevision: 4 });
  });
});
