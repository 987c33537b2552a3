import { type CloudInstanceStatus, monotonicMs } from '@understudy/shared';
import { describe, expect, it } from 'vitest';
import type { CloudStatusReading } from './evidence.ts';
import { nextStatusReading, STATUS_FRESH_MS } from './status-reading.ts';

const status = (attachedEbs: CloudInstanceStatus['attachedEbs']): CloudInstanceStatus => ({
  ...{ instanceId: 'i-1', state: 'running', system: 'ok', instance: 'ok', events: [] },
  attachedEbs,
});
/** The reading after these answers, each at its moment. */
const after = (...answers: readonly (readonly [number, CloudInstanceStatus['attachedEbs']])[]) =>
  answers.reduce<CloudStatusReading | null>(
    (before, [atMs, ebs]) => nextStatusReading(before, status(ebs), monotonicMs(atMs)),
    null,
  )?.ebsImpairedSinceMs;

describe('how long attached EBS has been impaired', () => {
  it('counts from the first answer that said so, as long as every one does', () => {
    expect(after([5_000, 'ok'])).toBeNull();
    expect(after([5_000, 'ok'], [10_000, 'impaired'])).toBe(10_000);
    expect(after([10_000, 'impaired'], [15_000, 'impaired'], [20_000, 'impaired'])).toBe(10_000);
  });

  it.each(['ok', 'insufficient-data', 'not-applicable', 'initializing'] as const)(
    'begins anew after %s in between',
    (word) => {
      expect(after([10_000, 'impaired'], [15_000, word])).toBeNull();
      expect(after([10_000, 'impaired'], [15_000, word], [20_000, 'impaired'])).toBe(20_000);
    },
  );

  it('begins anew when EC2 was not heard of for longer than an answer is fresh', () => {
    const later = 10_000 + STATUS_FRESH_MS;
    expect(after([10_000, 'impaired'], [later, 'impaired'])).toBe(10_000);
    expect(after([10_000, 'impaired'], [later + 1, 'impaired'])).toBe(later + 1);
  });
});
