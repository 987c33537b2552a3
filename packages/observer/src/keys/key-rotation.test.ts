import { type MemberId, OperationError } from '@understudy/shared';
import { RecordingLog, SimClock } from '@understudy/shared/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { at, observer, watched, WireAgent } from '../core/observe.fixtures.ts';
import { keyOfMasters, KeyRotation, type OfferedKeys } from './key-rotation.ts';

const MASTERS = { 1: new Uint8Array(32).fill(7), 2: new Uint8Array(32).fill(7), 3: new Uint8Array(32).fill(3) };
const set = (...ids: readonly (1 | 2 | 3)[]) => new Map(ids.map((id) => [id as number, MASTERS[id]]));
const M: MemberId = 'db/a';

let clock: SimClock;
let log: RecordingLog;
let offered: () => Promise<OfferedKeys>;
let reads: number;
beforeEach(() => {
  clock = new SimClock();
  log = new RecordingLog();
  reads = 0;
});

function rotation(startWith = set(1)) {
  const { table } = observer([watched(M)]);
  table.setKeys({ keyIds: [...startWith.keys()], keyOf: keyOfMasters(startWith), kept: new Set(startWith.keys()) });
  const source = {
    read: () => {
      reads++;
      return offered();
    },
  };
  const keys = new KeyRotation({ table, masters: startWith, source, everyMs: 10_000, clock, log });
  const agent = new WireAgent(M, 'i-db-a');
  agent.greet(table, clock.monotonicMs());
  return { table, keys, agent };
}
const offer = (masters: ReadonlyMap<number, Uint8Array>, forced: readonly number[] = []) => {
  offered = () => Promise.resolve({ masters, forced });
};

describe('keys are looked at', () => {
  it('every 10 s, at once when asked, and not any more after the end', async () => {
    const { keys, table } = rotation();
    offer(set(1));
    keys.start();
    await clock.advance(30_500);
    expect(reads).toBe(3);
    offer(set(1, 2));
    await keys.reload();
    expect(table.keyIds).toEqual([1, 2]);
    await clock.advance(9_000);
    expect(reads).toBe(4);
    await clock.advance(1_500);
    expect(reads).toBe(5);
    keys.stop();
    await clock.advance(60_000);
    expect(reads).toBe(5);
  });

  it('one look at a time, also when the disk hangs', async () => {
    const { keys } = rotation();
    offered = () => new Promise(() => undefined);
    keys.start();
    await clock.advance(60_000);
    void keys.reload();
    expect(reads).toBe(1);
  });
});

describe('a look that somebody asks for while another goes on', () => {
  it('follows it, as one that was asked for', async () => {
    const asked: boolean[] = [];
    const answers: (() => void)[] = [];
    const read = ({ isAsked }: { readonly isAsked: boolean }) => {
      asked.push(isAsked);
      return new Promise<OfferedKeys>((resolve) => answers.push(() => resolve({ masters: set(1), forced: [] })));
    };
    const { table } = observer([watched(M)]);
    const keys = new KeyRotation({ table, masters: set(1), source: { read }, everyMs: 10_000, clock, log });
    const looks = [keys.reload(false), keys.reload(), keys.reload()];
    answers[0]?.();
    await clock.advance(1);
    answers[1]?.();
    await Promise.all(looks);
    expect(asked).toEqual([false, true]);
  });
});

describe('what is found', () => {
  it('a second id is taken, and shown by fingerprint', async () => {
    const { keys, table } = rotation();
    const [before] = keys.accepted;
    offer(set(1, 2));
    await keys.reload();
    expect(table.keyIds).toEqual([1, 2]);
    expect(keys.accepted.map(({ id }) => id)).toEqual([1, 2]);
    expect(keys.accepted[0]).toEqual(before);
    expect(keys.accepted[1]?.fingerprint).toMatch(/^[0-9a-f]{8}$/);
    // The same secret under another id is another key.
    expect(keys.accepted[1]?.fingerprint).not.toBe(before?.fingerprint);
    expect(keys.problem).toBeNull();
    expect(JSON.stringify(log.lines)).not.toContain('07'.repeat(8));
  });

  it('files that cannot be read leave the keys as they are, are told once, and are a problem until they can', async () => {
    const { keys, table, agent } = rotation();
    offered = () => Promise.reject(new OperationError('KEY_INVALID', 'cannot read m2.key'));
    keys.start();
    await clock.advance(40_000);
    expect(table.keyIds).toEqual([1]);
    expect(agent.send(table, 41_000).outcome).toBe('recorded');
    expect(log.events().filter((event) => event === 'keys.refused').length).toBe(1);
    expect(keys.problem).toMatchObject({ code: 'KEYS_REFUSED' });
    expect(keys.problem?.text).toContain('m2.key');
    offer(set(1));
    await clock.advance(10_000);
    expect(keys.problem).toBeNull();
  });

  it('dropping an id a member speaks with is refused; once it speaks with another one, taken', async () => {
    const { keys, table, agent } = rotation(set(1, 2));
    offer(set(2));
    await keys.reload();
    expect(keys.problem?.text).toContain(M);
    expect(table.keyIds).toEqual([1, 2]);
    const renewed = new WireAgent(M, 'i-db-a', 2);
    Object.assign(renewed, { sequence: agent.sequence, challenge: agent.challenge });
    expect(renewed.send(table, 1_000).outcome).toBe('recorded');
    await keys.reload();
    expect(keys.problem).toBeNull();
    expect(table.keyIds).toEqual([2]);
    expect(agent.send(table, 2_000).outcome).toBe('unknown-key');
  });

  it('forced, it is taken, and says who is not understood any more', async () => {
    const { keys, table } = rotation(set(1, 2));
    offer(set(2), [1]);
    await keys.reload();
    expect(table.keyIds).toEqual([2]);
    expect(log.lines.find(({ event }) => event === 'keys.members_lost')?.fields).toMatchObject({
      count: 1,
      members: M,
    });
    expect(table.memberKeys()[0]?.state).toBe('retired');
    expect(table.usersOf(1, at(0))).toEqual([]);
  });

  it('another secret under an id in use is refused', async () => {
    const { keys, table, agent } = rotation();
    offer(new Map([[1, MASTERS[3]]]));
    await keys.reload();
    expect(keys.problem?.text).toContain('another secret');
    expect(agent.send(table, 1_000).outcome).toBe('recorded');
  });
});
