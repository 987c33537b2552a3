import { monotonicMs } from '@understudy/shared';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import {
  type AgentKey,
  beginKeys,
  choiceFor,
  GONE_AFTER_MS,
  KEEPS_CANDIDATE,
  type KeyRing,
  type KeySlot,
  noteAcked,
  offerKey,
  SUPERSEDED_MAX,
  storedOf,
} from './key-ring.ts';

const MEMBER = 'shop/db-1';
const QUIET_MS = 16_000;
const key = (id: number, fill = id): AgentKey => ({ id, hex: fill.toString(16).padStart(2, '0').repeat(32) });
const at = monotonicMs;
const asked = (nowMs = 0) => ({ nowMs: at(nowMs), begunAtMs: 0 });

const rotating = (targets = 3): KeyRing => offerKey(beginKeys(null, key(1), MEMBER, targets), key(2), asked()).ring;
const acked = (ring: KeyRing, target: number, slot: KeySlot, nowMs = 0) =>
  noteAcked(ring, target, slot, at(nowMs), QUIET_MS);
const choices = (ring: KeyRing, nowMs = 0) =>
  ring.targets.map((_, target) => {
    const { main, alsoTry } = choiceFor(ring, target, at(nowMs), QUIET_MS);
    return alsoTry === null ? main : `${main}+${alsoTry}`;
  });

describe('while keys are rotated', () => {
  it('the old key speaks, and the new one is tried beside it', () => {
    expect(choices(rotating())).toEqual(['current+candidate', 'current+candidate', 'current+candidate']);
  });

  it('a coordinator that acknowledged the new key is spoken to under it, the others under the old one', () => {
    const { ring, change } = acked(rotating(), 1, 'candidate');
    expect(change).toBe('coordinator-moved');
    expect(choices(ring)).toEqual(['current+candidate', 'candidate', 'current+candidate']);
    expect(ring.current).toEqual(key(1));
  });

  it('the new key is the one key once all configured coordinators have acknowledged it, not before', () => {
    let { ring } = acked(rotating(), 0, 'candidate');
    ({ ring } = acked(ring, 2, 'candidate'));
    expect(ring.current).toEqual(key(1));
    const last = acked(ring, 1, 'candidate');
    expect(last.change).toBe('adopted');
    expect(last.ring).toMatchObject({ current: key(2), candidate: null });
    expect(choices(last.ring)).toEqual(['current', 'current', 'current']);
  });

  it('acks of long ago do not count: a coordinator may have lost the key since', () => {
    let { ring } = acked(rotating(), 0, 'candidate', 0);
    ({ ring } = acked(ring, 1, 'candidate', QUIET_MS));
    ({ ring } = acked(ring, 2, 'candidate', QUIET_MS));
    expect(ring.current).toEqual(key(1));
    expect(acked(ring, 0, 'candidate', QUIET_MS + 1).change).toBe('adopted');
  });

  it('a coordinator that no longer acknowledges the new key is offered the old one too, and gets it when it answers to that', () => {
    const { ring } = acked(rotating(), 0, 'candidate', 0);
    expect(choices(ring, QUIET_MS - 1)[0]).toBe('candidate');
    expect(choices(ring, QUIET_MS)[0]).toBe('candidate+current');
    const late = acked(ring, 0, 'current', QUIET_MS);
    expect(late.change).toBe('coordinator-fell-back');
    expect(choices(late.ring, QUIET_MS)[0]).toBe('current+candidate');
  });

  it('an ack under the old key that was on its way changes nothing', () => {
    const { ring } = acked(rotating(), 0, 'candidate', 100);
    const late = acked(ring, 0, 'current', 200);
    expect(late.change).toBe('none');
    expect(choices(late.ring, 200)[0]).toBe('candidate');
  });

  it('an ack from an address that is none of the configured ones says nothing about any', () => {
    const ring = rotating();
    expect(acked(ring, -1, 'candidate')).toEqual({ ring, change: 'none' });
  });
});

describe('keys that are offered', () => {
  test.each<[string, AgentKey, string]>([
    ['the one in use', key(1), 'known'],
    ['the one being tried', key(2), 'known'],
    ['another one', key(3), 'taken'],
    ['another secret under the same id', key(2, 9), 'taken'],
    ['another secret under the id in use', key(1, 9), 'taken'],
  ])('%s: %o is %s', (_, offered, outcome) => {
    expect(offerKey(rotating(), offered, asked()).outcome).toBe(outcome);
  });

  it('a candidate that some coordinator is spoken to under stays until its rotation is over', () => {
    const { ring } = acked(rotating(), 0, 'candidate');
    expect(offerKey(ring, key(3), asked())).toEqual({ ring, outcome: 'waits' });
  });

  it('a third key ends a rotation early once all coordinators hold the second but those that were silent for a day', () => {
    let ring = rotating();
    ({ ring } = acked(ring, 0, 'candidate', 1_000));
    ({ ring } = acked(ring, 1, 'current', 1_000));
    const waits = (nowMs: number) => offerKey(ring, key(3), asked(nowMs)).outcome === 'waits';
    expect(waits(GONE_AFTER_MS - 1)).toBe(true);
    // The coordinator that was never heard counts as gone. The one that acknowledged the old key a
    // second later does not.
    expect(waits(GONE_AFTER_MS)).toBe(true);
    ({ ring } = acked(ring, 1, 'candidate', 2_000));
    expect(waits(GONE_AFTER_MS - 1)).toBe(true);
    expect(offerKey(ring, key(3), KEEPS_CANDIDATE).outcome).toBe('waits');
    const offered = offerKey(ring, key(3), asked(GONE_AFTER_MS));
    expect(offered).toMatchObject({ outcome: 'taken', ring: { current: key(2), candidate: key(3) } });
    expect(choices(offered.ring)).toEqual(Array(3).fill('current+candidate'));
  });

  it('the configuration does not push out what an operator put down', () => {
    const ring = rotating();
    expect(offerKey(ring, key(3), KEEPS_CANDIDATE)).toEqual({ ring, outcome: 'waits' });
  });

  it('one that was given up does not come back, at most 16 of them', () => {
    let ring = beginKeys(null, key(1), MEMBER, 1);
    for (let id = 2; id <= SUPERSEDED_MAX + 2; id++)
      ({ ring } = acked(offerKey(ring, key(id), asked()).ring, 0, 'candidate'));
    expect(ring.current).toEqual(key(SUPERSEDED_MAX + 2));
    expect(ring.superseded.length).toBe(SUPERSEDED_MAX);
    expect(offerKey(ring, key(SUPERSEDED_MAX + 1), asked()).outcome).toBe('superseded');
    expect(offerKey(ring, key(2), asked()).outcome).toBe('superseded');
    expect(offerKey(ring, key(1), asked()).outcome).toBe('taken');
  });
});

describe('a process begins', () => {
  const rotated = () => acked(rotating(1), 0, 'candidate').ring;

  it('with the configured key when nothing is stored', () => {
    expect(beginKeys(null, key(1), MEMBER, 2)).toMatchObject({ current: key(1), candidate: null });
  });

  it('with the stored key when the configuration names the one before the rotation: a replacement has old user data', () => {
    const ring = beginKeys(storedOf(rotated(), MEMBER), key(1), MEMBER, 3);
    expect(ring).toMatchObject({ current: key(2), candidate: null });
  });

  it('trying a configured key that is news beside the stored one', () => {
    const ring = beginKeys(storedOf(rotated(), MEMBER), key(3), MEMBER, 3);
    expect(ring).toMatchObject({ current: key(2), candidate: key(3) });
  });

  it('in the middle of a rotation with both, each coordinator to be found out anew', () => {
    const { ring: halfway } = acked(rotating(2), 0, 'candidate');
    const ring = beginKeys(storedOf(halfway, MEMBER), key(1), MEMBER, 2);
    expect(choices(ring)).toEqual(['current+candidate', 'current+candidate']);
  });

  it('without what another member stored: its disk was copied', () => {
    const ring = beginKeys(storedOf(rotated(), 'shop/db-2'), key(1), MEMBER, 3);
    expect(ring).toMatchObject({ current: key(1), candidate: null });
  });
});

describe('in any order of operations', () => {
  type Step = {
    readonly kind: 'learns' | 'forgets' | 'loses-acks' | 'restarts' | 'key-arrives' | 'time';
    readonly at: number;
  };
  const one = (kind: Step['kind'], weight: number) => ({
    weight,
    arbitrary: fc.record({ kind: fc.constant(kind), at: fc.nat(2) }),
  });
  const step: fc.Arbitrary<Step> = fc.oneof(
    one('time', 6),
    one('learns', 4),
    one('forgets', 3),
    one('loses-acks', 1),
    one('restarts', 1),
    one('key-arrives', 3),
  );

  /**
   * Three coordinators that keep the rule of `decideKeyChange`: an id the agent was last heard with
   * is not dropped.
   */
  class Rotation {
    readonly holds = [new Set([1]), new Set([1]), new Set([1])];
    readonly heardWith = [1, 1, 1];
    readonly deafUntil = [0, 0, 0];
    /**
     * Per coordinator: it has not acknowledged anything since the agent started, so the agent may
     * have to find out by the second key.
     */
    isNew = [false, false, false];
    ring = beginKeys(null, key(1), MEMBER, 3);
    adoptions = 0;

    apply({ kind, at: index }: Step, beat: number): void {
      if (kind === 'learns') this.holds[index]?.add(2);
      if (kind === 'forgets' && this.heardWith[index] === 2) this.holds[index]?.delete(1);
      if (kind === 'loses-acks') this.deafUntil[index] = beat + 20;
      if (kind === 'key-arrives') this.ring = offerKey(this.ring, key(2), asked()).ring;
      if (kind !== 'restarts') return;
      this.ring = beginKeys(storedOf(this.ring, MEMBER), key(1), MEMBER, 3);
      this.isNew = [true, true, true];
    }

    /**
     * Sends the heartbeats of one moment. A coordinator acknowledges the first it understands, and
     * heartbeats that try a key go first.
     */
    beat(beat: number): void {
      const { ring: before } = this;
      const idOf = (slot: KeySlot) => (before[slot] ?? before.current).id;
      for (const [index, held] of this.holds.entries()) {
        const { main, alsoTry } = choiceFor(before, index, at(beat * 1_000), QUIET_MS);
        const heard = [alsoTry, main].filter((slot) => slot !== null && held.has(idOf(slot))) as KeySlot[];
        const [first] = heard;
        if (this.isNew[index] !== true) expect(heard).toContain(main);
        if (first === undefined) throw new Error(`coordinator ${index} understood nothing`);
        this.heardWith[index] = idOf(heard.at(-1) ?? first);
        if ((this.deafUntil[index] ?? 0) <= beat) this.#ack(index, first, beat);
      }
    }

    #ack(index: number, slot: KeySlot, beat: number): void {
      this.isNew[index] = false;
      const { ring, change } = noteAcked(this.ring, index, slot, at(beat * 1_000), QUIET_MS);
      this.ring = ring;
      if (change !== 'adopted') return;
      this.adoptions++;
      expect(this.holds.map((held) => held.has(2))).toEqual([true, true, true]);
    }
  }

  it('every coordinator understands every regular heartbeat, and the old key is given up only when all hold the new one', () => {
    let adoptions = 0;
    fc.assert(
      fc.property(fc.array(step, { minLength: 20, maxLength: 80 }), (steps) => {
        const rotation = new Rotation();
        steps.forEach((now, beat) => {
          rotation.apply(now, beat);
          rotation.beat(beat);
        });
        adoptions += rotation.adoptions;
      }),
      { numRuns: 300, seed: 7 },
    );
    expect(adoptions).toBeGreaterThan(50);
  });
});
