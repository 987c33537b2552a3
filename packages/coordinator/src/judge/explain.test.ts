import { DEFAULT_POLICY } from '@understudy/shared';
import { describe, expect, it } from 'vitest';
import { assess } from './assess.ts';
import { explain } from './explain.ts';
import { guard } from './guard.ts';
import type { GuardInput } from './guard-input.ts';
import { guardInput, NOW, opinion, silentEverywhere, WALL } from './judge.fixtures.ts';

const dead = assess(silentEverywhere(), DEFAULT_POLICY, NOW);
const alive = assess(silentEverywhere({ opinions: [opinion('c1', 'alive', 'Heard')] }), DEFAULT_POLICY, NOW);
const ask = (change: Partial<GuardInput> = {}) => guard(guardInput(change));
const pauses = [{ scope: 'group/db', who: 'ann', why: 'deploy 17', untilWallMs: WALL + 60_000 }];

describe('explain', () => {
  it('dead and nothing against it: it is replaced, and what would flip that is evidence', () => {
    const { decision, gates, wouldFlip } = explain(dead, ask(), null);
    expect(decision.kind).toBe('replace');
    expect(gates.every((one) => one.passes)).toBe(true);
    expect(wouldFlip).toEqual(dead.wouldChange);
  });

  it('a hold names every gate that refuses, not only the first, with what it wants and until when', () => {
    const { decision, wouldFlip } = explain(dead, ask({ pauses, protectedByTag: true }), null);
    expect(decision).toEqual({
      kind: 'hold',
      reason: 'Paused',
      text: 'group/db paused by ann: deploy 17',
      untilWallMs: WALL + 60_000,
    });
    expect(wouldFlip.slice(dead.wouldChange.length)).toEqual([
      'gate Paused: group/db paused by ann: deploy 17; wanted: no pause of everything, the group or the member, which is so from 2026-01-01T00:01:00.000Z on',
      'gate Protected: tagged understudy:protected; wanted: no tag understudy:protected=true',
    ]);
  });

  it('alive: every gate is answered all the same, and the first that would hold is named', () => {
    expect(explain(alive, ask(), null).decision.text).toContain('every gate would let it be replaced');
    const { decision, gates, wouldFlip } = explain(alive, ask({ pauses }), null);
    expect(decision).toMatchObject({ kind: 'none', text: expect.stringContaining('Paused would hold it') });
    expect(gates.length).toBe(ask().gates.length);
    expect(wouldFlip).toEqual(alive.wouldChange);
  });

  it('a plan that could not be made is a hold although every gate passes', () => {
    const refused = { reason: 'NotReady', text: 'no volumes', untilWallMs: null } as const;
    expect(explain(dead, ask(), refused).decision).toEqual({ kind: 'hold', ...refused });
  });

  it('held without a verdict to act on: what it is held for, and what ends that', () => {
    const nobody = assess(silentEverywhere({ opinions: [] }), DEFAULT_POLICY, NOW);
    const held = { reason: 'ObserverUnwell', text: 'nobody has an opinion', untilWallMs: null } as const;
    expect(nobody.act).toBe(false);
    const { decision, wouldFlip } = explain(nobody, ask(), null, held);
    expect(decision).toEqual({ kind: 'hold', ...held });
    expect(wouldFlip.at(-1)).toMatch(/^hold ObserverUnwell: look at its log and its load/);
    expect(explain(nobody, ask(), null).decision.kind).toBe('none');
  });
});
