import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CloudSim, type SeededInstance, seedInstance } from '@understudy/cloud-sim';
import { TAG } from '@understudy/shared';
import { SimClock } from '@understudy/shared/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { wrongLaunches } from '../../faults/audit/invariants.ts';
import { Recorder, type SeenRecovery } from '../../faults/audit/recorder.ts';

const OP = 'op-1';
let clock: SimClock;
let sim: CloudSim;
let recorder: Recorder;
let old: SeededInstance;
let servingDir: string;

beforeEach(() => {
  clock = new SimClock();
  sim = new CloudSim({ clock });
  servingDir = mkdtempSync(join(tmpdir(), 'understudy-serving-'));
  recorder = new Recorder(sim, servingDir);
  old = seedInstance(sim, { member: 'lab/orders' });
});
afterEach(() => rmSync(servingDir, { recursive: true }));

const call = async (action: string, input: Record<string, unknown>): Promise<void> => {
  const answer = sim.call(action, input);
  await clock.advance(120_000);
  expect(await answer).toHaveProperty('output');
};
const stop = (instanceId: string) => call('StopInstances', { InstanceIds: [instanceId] });
const terminate = (instanceId: string) => call('TerminateInstances', { InstanceIds: [instanceId] });
const launch = (token: string) =>
  call('RunInstances', {
    ...{
      ImageId: sim.defaultResources.imageId,
      InstanceType: 't3.micro',
      MinCount: 1,
      MaxCount: 1,
      ClientToken: token,
    },
    TagSpecifications: [{ ResourceType: 'instance', Tags: [{ Key: TAG.op, Value: OP }] }],
  });
const wrong = (revisions: Partial<SeenRecovery> = {}): string[] =>
  wrongLaunches(recorder, {
    ...{
      opId: OP,
      member: 'lab/orders',
      oldInstanceId: old.instanceId,
      fencedRevision: 5,
      fencedByLease: false,
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
