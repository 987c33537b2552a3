import { type Cloud, type CloudInstance, type CloudInstanceStatus, OperationError } from '@understudy/shared';
import { RecordingLog, SimClock } from '@understudy/shared/testing';
import { beforeEach, describe, expect, test } from 'vitest';
import { EvidencePoller, type EvidenceTarget } from './ec2-evidence.ts';

let clock: SimClock;
let present: Set<string>;
let failing: Set<string>;
/** Instances whose status cannot be read. */
let statusless: Set<string>;
let asked: string[][];
let poller: EvidencePoller;
const signal = new AbortController().signal;

beforeEach(() => {
  clock = new SimClock();
  present = new Set();
  failing = new Set();
  statusless = new Set();
  asked = [];
  const refuse = (ids: readonly string[]) => {
    const bad = ids.find((id) => failing.has(id));
    if (bad) throw new OperationError('CLOUD_UNAVAILABLE', bad);
  };
  const cloud = {
    describeInstances: async (filters: Record<string, readonly string[]>) => {
      const ids = filters['instance-id'] ?? [];
      asked.push([...ids]);
      refuse(ids);
      return ids
        .filter((id) => present.has(id))
        .map((instanceId) => ({ instanceId, state: 'running' }) as CloudInstance);
    },
    describeInstanceStatus: async (ids: readonly string[]) => {
      refuse(ids);
      if (ids.some((id) => statusless.has(id))) throw new OperationError('CLOUD_UNAVAILABLE', 'status');
      return ids
        .filter((id) => present.has(id))
        .map((instanceId) => ({ instanceId, system: 'ok' }) as CloudInstanceStatus);
    },
  } as unknown as Cloud;
  poller = new EvidencePoller({ cloud, clock, log: new RecordingLog() });
});
const targets = (...pairs: readonly [string, string][]): EvidenceTarget[] =>
  pairs.map(([instanceId, az]) => ({ instanceId, az }));

describe('evidence from EC2', () => {
  test('state and status are kept with the moment they were asked for', async () => {
    present.add('i-1');
    await clock.advance(500);
    await poller.pass(targets(['i-1', 'a']), signal);
    expect(poller.of('i-1')).toMatchObject({
      cloud: { readAtMs: 500, instance: { state: 'running' } },
      cloudStatus: { readAtMs: 500, status: { system: 'ok' } },
    });
  });

  test('one question that fails keeps no other from being asked: status, state, or those after the first hundred', async () => {
    const ids = Array.from({ length: 150 }, (_, index) => `i-${index}`);
    for (const id of ids) present.add(id);
    statusless.add('i-0');
    failing.add('i-99');
    await poller.pass(targets(...ids.map((id): [string, string] => [id, 'a'])), signal);
    expect(poller.of('i-0').cloud).toBeNull();
    expect(poller.of('i-149')).toMatchObject({
      cloud: { instance: { state: 'running' } },
      cloudStatus: { status: { system: 'ok' } },
    });
    failing.clear();
    await poller.pass(targets(...ids.map((id): [string, string] => [id, 'a'])), signal);
    expect(poller.of('i-0').cloud?.instance).not.toBeNull();
    expect(poller.failures()).toMatchObject([{ az: 'a', code: 'CLOUD_UNAVAILABLE' }]);
    statusless.clear();
    await poller.pass(targets(...ids.map((id): [string, string] => [id, 'a'])), signal);
    expect(poller.failures()).toEqual([]);
  });

  test('one AZ in trouble does not blind the others and is reported once it lasts', async () => {
    present.add('i-1').add('i-2');
    failing.add('i-1');
    await poller.pass(targets(['i-1', 'a'], ['i-2', 'b']), signal);
    expect(poller.of('i-1').cloud).toBeNull();
    expect(poller.of('i-2').cloud?.instance).not.toBeNull();
    expect(poller.failures()).toMatchObject([{ az: 'a', code: 'CLOUD_UNAVAILABLE' }]);
    failing.clear();
    await poller.pass(targets(['i-1', 'a'], ['i-2', 'b']), signal);
    expect(poller.failures()).toEqual([]);
  });

  test('an instance EC2 does not show is known not to be shown; a failed question changes nothing', async () => {
    present.add('i-1');
    await poller.pass(targets(['i-1', 'a']), signal);
    failing.add('i-1');
    await clock.advance(5_000);
    await poller.pass(targets(['i-1', 'a']), signal);
    expect(poller.of('i-1').cloud).toMatchObject({ readAtMs: 0, instance: { state: 'running' } });
    failing.clear();
    present.clear();
    await poller.pass(targets(['i-1', 'a']), signal);
    expect(poller.of('i-1').cloud).toEqual({ readAtMs: 5_000, instance: null });
  });

  test('more than 100 instances are asked about in parts', async () => {
    await poller.pass(targets(...Array.from({ length: 250 }, (_, i): [string, string] => [`i-${i}`, 'a'])), signal);
    expect(asked.map((ids) => ids.length)).toEqual([100, 100, 50]);
  });

  test('a suspect is asked about at once, but not more than once a second', async () => {
    present.add('i-1');
    for (let i = 0; i < 5; i++) {
      await poller.look(targets(['i-1', 'a']), signal);
      await clock.advance(250);
    }
    expect(asked).toHaveLength(2);
  });

  test('what is no longer a target is forgotten', async () => {
    present.add('i-1');
    await poller.pass(targets(['i-1', 'a']), signal);
    await poller.pass([], signal);
    expect(poller.of('i-1').cloud).toBeNull();
  });
});
