import { type Cloud, OperationError, type Term } from '@understudy/shared';
import { SimClock } from '@understudy/shared/testing';
import { describe, expect, test } from 'vitest';
import { CollectPass, NEEDED } from './collect-pass.ts';
import { cloudError } from '../run.fixtures.ts';

/** A pass under a term that holds for so long. */
function passOf({ holdsMs = 8_000, effectsMax = 50 } = {}, needed: readonly string[] = []) {
  const signal = new AbortController().signal;
  const held = { holdsMs };
  const term = { signal, holdsFor: (ms: number) => held.holdsMs > ms } as unknown as Term;
  const cloud = {} as Cloud;
  const clock = new SimClock();
  const readNeeded = async () => new Set(needed);
  const limits = { callTimeoutMs: 5_000, effectsMax, clock, readNeeded };
  return { cloud, term, held, clock, pass: new CollectPass(cloud, term, limits) };
}
const failing = (error: Error) => passOf().pass.effect(() => Promise.reject(error));

describe('a call of the collector', () => {
  test('is one attempt, with the term’s end and the term’s word at the last moment', async () => {
    const { cloud, term, held, pass } = passOf();
    const seen: unknown[] = [];
    const outcome = await pass.effect(async (given, options) => {
      seen.push(given, options.signal, options.mayStart?.());
      held.holdsMs = 5_000;
      seen.push(options.mayStart?.());
    });
    expect([outcome, ...seen]).toEqual(['done', cloud, term.signal, true, false]);
  });

  test('is not made when the term does not hold long enough', async () => {
    let made = false;
    const { pass } = passOf({ holdsMs: 5_000 });
    await expect(pass.effect(async () => void (made = true))).rejects.toMatchObject({ code: 'LEASE_LOST' });
    expect(made).toBe(false);
  });

  test('is put off once the pass has made as many as it may', async () => {
    const { pass } = passOf({ effectsMax: 2 });
    const outcomes = [];
    for (let count = 0; count < 3; count += 1) outcomes.push(await pass.effect(async () => undefined));
    expect(outcomes).toEqual(['done', 'done', 'put-off']);
  });

  test('that is refused counts, and says why in EC2’s words or our own', async () => {
    expect(await failing(cloudError('CLOUD_CONFLICT', 'VolumeInUse'))).toEqual({
      code: 'VolumeInUse',
      text: 'CLOUD_CONFLICT: VolumeInUse',
    });
    expect(await failing(cloudError('CLOUD_UNAVAILABLE'))).toMatchObject({ code: 'CLOUD_UNAVAILABLE' });
    expect(await failing(cloudError('CLOUD_NOT_FOUND', 'InvalidVolume.NotFound'))).toBe('not-found');
  });

  test('ends the pass with the term, or with a mistake of ours', async () => {
    await expect(failing(new OperationError('LEASE_LOST', 'x'))).rejects.toMatchObject({ code: 'LEASE_LOST' });
    await expect(failing(new TypeError('ours'))).rejects.toThrow('ours');
  });
});

describe('a removal', () => {
  test('is not sent of what an open recovery is planned with by then', async () => {
    const { pass } = passOf({}, ['snap-1']);
    let made = 0;
    const remove = async () => void (made += 1);
    expect(await pass.removal('snap-1', remove)).toBe(NEEDED);
    expect(await pass.removal('snap-2', remove)).toBe('done');
    expect(made).toBe(1);
  });

  test('that waited for its turn for longer than its look is good for is put off', async () => {
    const { pass, clock } = passOf();
    const turns: unknown[] = [];
    const outcome = await pass.removal('snap-1', async (_, { mayStart }) => {
      turns.push(mayStart?.());
      await clock.advance(5_001);
      turns.push(mayStart?.());
      throw new OperationError('LEASE_LOST', 'too late for it');
    });
    expect([outcome, ...turns]).toEqual(['put-off', true, false]);
  });
});

test('a pass reports what it has done', () => {
  const { pass } = passOf();
  pass.removed.push({ kind: 'image', id: 'ami-1' });
  pass.kept.push({ kind: 'volume', id: 'vol-1', why: 'w' });
  pass.looseVolumes.push('vol-2');
  pass.violations.push('v');
  pass.choresDone.push('c');
  expect(pass.report(3)).toEqual({
    ...{ removed: [{ kind: 'image', id: 'ami-1' }], kept: [{ kind: 'volume', id: 'vol-1', why: 'w' }] },
    ...{ looseVolumes: ['vol-2'], violations: ['v'], choresDone: ['c'], trimmed: 3 },
  });
});
