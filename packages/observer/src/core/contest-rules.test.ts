import { describe, expect, it } from 'vitest';
import { type Contest, Contests, mayAnswer, noteEcho, noteStale, noteTaken, TWO_AGENTS_FOR_MS } from './contests.ts';

const BEGAN_MS = 1_000;
const INCUMBENT = (7n << 32n) | 5n;
const FROM = { startedAtMs: BEGAN_MS, challengeHi: 1, challengeLo: 2, incumbentHi: 7, incumbentLo: 5 };
const begin = (): { contests: Contests; contest: Contest } => {
  const contests = new Contests();
  return { contests, contest: contests.begin(3, FROM) };
};
const position = (epoch: bigint, sequence = 1n) => ({ epoch, sequence });

describe('a contest between two boot epochs', () => {
  it('is over half a minute after it began, or after the last proof of another agent', () => {
    for (const provenAtMs of [null, 9_000]) {
      const { contests, contest } = begin();
      if (provenAtMs !== null) noteEcho(contest, position(1n), provenAtMs);
      const endsMs = (provenAtMs ?? BEGAN_MS) + TWO_AGENTS_FOR_MS;
      expect(contests.takeOver(endsMs - 1)).toEqual([]);
      expect(contests.of(3)).toBe(contest);
      expect(contests.takeOver(endsMs)).toEqual([3]);
      expect([contests.of(3), contests.size]).toEqual([undefined, 0]);
      expect(contests.takeOver(endsMs)).toEqual([]);
    }
  });

  it('ends for its own row only', () => {
    const { contests } = begin();
    contests.begin(4, { ...FROM, startedAtMs: 20_000 });
    expect(contests.takeOver(BEGAN_MS + TWO_AGENTS_FOR_MS)).toEqual([3]);
    contests.forget(3);
    expect(contests.size).toBe(1);
    contests.forget(4);
    expect(contests.size).toBe(0);
  });

  it('is between two once both are proven to speak, and not before', () => {
    const { contests, contest } = begin();
    expect(contests.isTwo(3)).toBe(false);
    contest.incumbentHeard = true;
    expect(contests.isTwo(3)).toBe(false);
    noteEcho(contest, position(1n), 2_000);
    expect(contests.isTwo(3)).toBe(true);
    contest.incumbentHeard = false;
    expect(contests.isTwo(3)).toBe(false);
    expect(contests.isTwo(4)).toBe(false);
  });
});

describe('whoever spoke with the newest epoch when it began', () => {
  it.each([
    ['its own', INCUMBENT, true],
    ['one newer', INCUMBENT + 1n, true],
    ['one older', INCUMBENT - 1n, false],
    ['one that differs in its upper half only', (6n << 32n) | 0xffff_ffffn, false],
  ])('is proven by an echo of %s', (_, epoch, heard) => {
    const { contest } = begin();
    noteStale(contest, position(epoch), true);
    expect(contest.incumbentHeard).toBe(heard);
  });

  it('is not proven by a datagram that echoes nothing', () => {
    const { contest } = begin();
    noteStale(contest, position(INCUMBENT), false);
    expect([contest.incumbentHeard, contest.taken]).toEqual([false, 'no']);
  });

  it('is proven when it is overtaken, told so, and takes a newer epoch in its turn', () => {
    const { contests, contest } = begin();
    noteTaken(contest, 2_000);
    expect(contests.isTwo(3)).toBe(false);
    noteStale(contest, position(INCUMBENT), false);
    noteTaken(contest, 3_000);
    expect(contests.isTwo(3)).toBe(true);
    expect(contest.provenAtMs).toBe(3_000);
  });

  it('is not, when it is one and the same that takes one newer epoch after another', () => {
    const { contests, contest } = begin();
    noteTaken(contest, 2_000);
    noteStale(contest, position(INCUMBENT - 1n), false);
    noteTaken(contest, 3_000);
    expect(contests.isTwo(3)).toBe(false);
  });
});

describe('an echo of an older epoch', () => {
  it('counts once, in the order of epochs and then of sequence numbers', () => {
    const { contest } = begin();
    const counts = (epoch: bigint, sequence: bigint) => noteEcho(contest, position(epoch, sequence), 2_000);
    expect(counts(4n, 9n)).toBe(true);
    expect(counts(4n, 9n)).toBe(false);
    expect(counts(4n, 8n)).toBe(false);
    expect(counts(3n, 99n)).toBe(false);
    expect(counts(4n, 10n)).toBe(true);
    expect(counts(5n, 1n)).toBe(true);
  });

  it('the first possible one counts too', () => {
    expect(noteEcho(begin().contest, position(0n, 0n), 2_000)).toBe(true);
  });

  it('proves life as of the latest of them, also when they are read out of order', () => {
    const { contest } = begin();
    noteEcho(contest, position(1n), 5_000);
    noteEcho(contest, position(2n), 4_000);
    expect(contest.provenAtMs).toBe(5_000);
    noteTaken(contest, 4_500);
    expect(contest.provenAtMs).toBe(5_000);
  });
});

describe('answers to what is stale', () => {
  const LIMITS = { ackMinIntervalMs: 100, routineAckMs: 1_000 };
  it('one that is newer than all before is answered every 100 ms, the others together once a second', () => {
    const { contest } = begin();
    const may = (sequence: bigint, nowMs: number) => mayAnswer(contest, position(1n, sequence), LIMITS, nowMs);
    expect([may(10n, 5_000), may(11n, 5_099), may(12n, 5_100)]).toEqual([true, false, true]);
    expect([may(12n, 5_100), may(3n, 5_101), may(12n, 6_099), may(12n, 6_100)]).toEqual([true, false, false, true]);
    expect(may(13n, 6_100)).toBe(true);
  });
});
