import { monotonicMs } from '@understudy/shared';
import { describe, expect, it } from 'vitest';
import { opinion, silentEverywhere, WALL } from '../judge/judge.fixtures.ts';
import { UnreachableSince } from './unreachable-since.ts';

const failing = (sinceWallMs: Readonly<Record<string, number>>, instanceId = 'i-old') =>
  silentEverywhere({
    instanceId,
    opinions: Object.entries(sinceWallMs).map(([observer, since]) =>
      opinion(observer, 'alive', 'Heard', {
        service: {
          state: 'failing',
          probe: 'tcp-5432',
          reason: 'Refused',
          sinceWallMs: since,
          passedBefore: true,
          warning: null,
        },
      }),
    ),
  });

describe('since when services are unreachable', () => {
  const at = (ms: number) => monotonicMs(ms);

  it('is counted from the first look that found it so, on our own clock', () => {
    const since = new UnreachableSince();
    const evidence = failing({ c1: WALL, c2: WALL + 900_000 });
    expect(since.of(evidence)).toBeNull();
    since.note(evidence, true, at(5_000));
    since.note(evidence, true, at(9_000));
    expect(since.of(evidence)).toBe(5_000);
  });

  it('begins anew after a look that found it reachable, for another instance, and with another term', () => {
    const since = new UnreachableSince();
    const evidence = failing({ c1: WALL });
    since.note(evidence, true, at(5_000));
    expect(since.of(failing({ c1: WALL }, 'i-new'))).toBeNull();
    since.note(evidence, false, at(6_000));
    expect(since.of(evidence)).toBeNull();
    since.note(evidence, true, at(7_000));
    since.forgetAll();
    expect(since.of(evidence)).toBeNull();
    since.note(evidence, true, at(8_000));
    since.forget(evidence.member);
    expect(since.of(evidence)).toBeNull();
  });

  it('begins anew when an observer saw it pass while we were not looking', () => {
    const since = new UnreachableSince();
    since.note(failing({ c1: WALL, c2: WALL }), true, at(5_000));
    const later = failing({ c1: WALL + 30_000, c2: WALL });
    expect(since.of(later)).toBeNull();
    since.note(later, true, at(40_000));
    expect(since.of(later)).toBe(40_000);
  });

  it('goes on when an observer joins or leaves, and when an opinion is dated again', () => {
    const since = new UnreachableSince();
    since.note(failing({ c1: WALL, c2: WALL }), true, at(5_000));
    for (const now of [{ c1: WALL, c2: WALL, c3: WALL + 4_000 }, { c1: WALL + 1 }, { c1: WALL, c3: WALL + 90_000 }]) {
      expect(since.of(failing(now))).toBe(5_000);
      since.note(failing(now), true, at(6_000));
    }
  });
});
