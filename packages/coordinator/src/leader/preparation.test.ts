import { OperationError } from '@understudy/shared';
import type { PlanInput } from '@understudy/recovery';
import { RecordingLog, SimClock } from '@understudy/shared/testing';
import { describe, expect, test } from 'vitest';
import { Preparation, type Suspect } from './preparation.ts';

const A: Suspect = { member: 'g/a', instanceId: 'i-a' };
const READ_MS = 400;
const now = { attempt: async (_: string, work: () => Promise<void> | void) => (await work(), true) };

function bench(options: { readonly fails?: () => boolean; readonly wanted?: () => number | null } = {}) {
  const clock = new SimClock();
  const log = new RecordingLog();
  const reads: { readonly instanceId: string; readonly signal: AbortSignal }[] = [];
  const preparation = new Preparation({
    ...{ clock, log, wantedFor: options.wanted ?? (() => 1) },
    read: async ({ instanceId }, signal) => {
      reads.push({ instanceId, signal });
      await clock.sleep(READ_MS, signal);
      if (options.fails?.() === true) throw new OperationError('CLOUD_UNAVAILABLE', 'no answer');
      return { userData: `read ${reads.length}` } as PlanInput;
    },
  });
  const term = new AbortController();
  const pass = (...suspects: Suspect[]) => preparation.pass(suspects, term.signal, now);
  return { clock, log, reads, preparation, pass, term };
}

describe('what is prepared while a member is suspect', () => {
  test('is there when its plan is made, for the same instance and policy only', async () => {
    const { clock, reads, preparation, pass } = bench();
    pass(A);
    pass(A);
    expect(preparation.inputFor(A, 1)).toBeNull();
    expect(preparation.textFor('g/a')?.text).toContain('preparing');
    await clock.advance(READ_MS);
    expect(reads).toHaveLength(1);
    expect(preparation.inputFor(A, 1)).toEqual({ userData: 'read 1' });
    expect(preparation.inputFor(A, 2)).toBeNull();
    expect(preparation.inputFor({ ...A, instanceId: 'i-other' }, 1)).toBeNull();
    expect(preparation.textFor('g/a')).toEqual({ text: expect.stringContaining('prepared'), ageMs: READ_MS });
    expect(preparation.counts).toEqual({ used: 1, dropped: 0, failed: 0 });
  });

  test('is dropped at once when the member is heard again, also in the middle of a read', async () => {
    const { clock, log, reads, preparation, pass } = bench();
    pass(A);
    pass();
    expect(reads[0]?.signal.aborted).toBe(true);
    pass(A);
    await clock.advance(READ_MS);
    expect(preparation.textFor('g/a')?.text).toContain('prepared');
    pass();
    expect([preparation.inputFor(A, 1), preparation.textFor('g/a')]).toEqual([null, null]);
    expect(log.lines.filter((line) => line.event === 'prepare.dropped')).toHaveLength(2);
  });

  test('is never older than 30 s, and is read anew while the member stays suspect', async () => {
    const { clock, reads, preparation, pass } = bench();
    pass(A);
    await clock.advance(15_000);
    pass(A);
    pass(A);
    expect(preparation.inputFor(A, 1)).toEqual({ userData: 'read 1' });
    await clock.advance(READ_MS);
    expect([reads.length, preparation.inputFor(A, 1)?.userData]).toEqual([2, 'read 2']);
    await clock.advance(30_000 - READ_MS);
    expect(preparation.inputFor(A, 1)).not.toBeNull();
    await clock.advance(1);
    expect(preparation.inputFor(A, 1)).toBeNull();
  });

  test('is nothing where so many are suspect that the cause is not theirs', async () => {
    const { clock, reads, pass } = bench();
    const many = Array.from({ length: 9 }, (_, at) => ({ member: `g/m${at}`, instanceId: `i-${at}` }) as const);
    pass(...many);
    await clock.advance(READ_MS);
    expect(reads).toEqual([]);
    pass(...many.slice(0, 8));
    expect(reads).toHaveLength(8);
  });

  test('is nothing where the policy wants nothing, and anew where the policy has changed', async () => {
    let revision: number | null = null;
    const { clock, reads, preparation, pass } = bench({ wanted: () => revision });
    pass(A);
    expect(reads).toEqual([]);
    revision = 1;
    pass(A);
    await clock.advance(READ_MS);
    revision = 2;
    pass(A);
    expect([reads.length, preparation.inputFor(A, 2)]).toEqual([2, null]);
    await clock.advance(READ_MS);
    expect(preparation.inputFor(A, 2)).toEqual({ userData: 'read 2' });
  });

  test('is tried again where EC2 did not answer, and keeps what was read before', async () => {
    let fails = true;
    const { clock, log, preparation, pass } = bench({ fails: () => fails });
    pass(A);
    await clock.advance(READ_MS);
    expect(preparation.counts.failed).toBe(1);
    expect(log.lines.map((line) => line.event)).toEqual(['prepare.failed']);
    fails = false;
    await clock.advance(15_000);
    pass(A);
    await clock.advance(READ_MS);
    expect(preparation.inputFor(A, 1)).toEqual({ userData: 'read 2' });
    fails = true;
    await clock.advance(15_000);
    pass(A);
    await clock.advance(READ_MS);
    expect(preparation.inputFor(A, 1)).toEqual({ userData: 'read 2' });
  });

  test('of an earlier term is not used in the next', async () => {
    const { clock, preparation, pass } = bench();
    pass(A);
    await clock.advance(READ_MS);
    preparation.beginTerm();
    expect(preparation.inputFor(A, 1)).toBeNull();
  });
});
