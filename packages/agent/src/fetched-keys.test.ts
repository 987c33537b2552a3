import { RecordingLog, SeededRandom, SimClock } from '@understudy/shared/testing';
import { expect, test } from 'vitest';
import type { FetchOutcome } from './core/fetched-key.ts';
import type { AgentKey } from './core/key-ring.ts';
import { FetchedKeys } from './fetched-keys.ts';

const OLD: AgentKey = { id: 1, hex: 'aa'.repeat(32) };
const NEW: AgentKey = { id: 2, hex: 'bb'.repeat(32) };

/** An agent's keys, from a source that refuses so often at first. */
function starting(kept: AgentKey | null, refusals: number) {
  const clock = new SimClock();
  const askedAtMs: number[] = [];
  const written: AgentKey[] = [];
  const fetch = async (): Promise<FetchOutcome> => {
    askedAtMs.push(clock.monotonicMs());
    const isRefused = askedAtMs.length <= refusals;
    return isRefused ? { kind: 'refused', name: 'NotLeading', detail: 'x' } : { kind: 'found', text: `2 ${NEW.hex}` };
  };
  const keys = new FetchedKeys({
    ...{ remote: { source: 'enrolAt', reference: 'https://c1:8443' }, configuredId: 1, fetch, refetchEveryMs: 900_000 },
    cache: { read: async () => kept, write: async (key) => void written.push(key) },
    ...{ clock, random: new SeededRandom(1), log: new RecordingLog() },
  });
  return { clock, keys, askedAtMs, written };
}

test('without a kept key the start waits for one', async () => {
  const { clock, keys, askedAtMs } = starting(null, 3);
  expect(await clock.runUntilSettled(keys.first())).toEqual(NEW);
  expect(askedAtMs).toHaveLength(4);
});

test('a kept key serves at once, and another is asked for beside it until there is one', async () => {
  const { clock, keys, askedAtMs, written } = starting(OLD, 3);
  expect(await clock.runUntilSettled(keys.first())).toEqual(OLD);
  await clock.advance(60_000);
  expect(askedAtMs).toHaveLength(4);
  expect(written).toEqual([NEW]);
  await clock.advance(600_000);
  expect(askedAtMs).toHaveLength(4);
});

test('after the end nothing is asked for any more', async () => {
  const { clock, keys, askedAtMs } = starting(OLD, 100);
  await clock.runUntilSettled(keys.first());
  keys.stop();
  await clock.advance(600_000);
  expect(askedAtMs.length).toBeLessThanOrEqual(1);
});
