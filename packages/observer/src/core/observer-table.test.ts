import type { MemberId } from '@understudy/shared';
import { describe, expect, it } from 'vitest';
import { at, observer, run, type TestObserver, watched, WireAgent } from './observe.fixtures.ts';
import { DEFAULT_OBSERVER_SETTINGS } from './types.ts';

const M = 'db/a' as const;
const I = 'i-db-a';
const verdicts = (made: TestObserver) => made.table.opinions().map((opinion) => opinion.verdict);

/** `count` members, all greeted at 0. */
function fleet(count: number, settings = {}) {
  const members = Array.from({ length: count }, (_, i) => `db/m${i}` as MemberId);
  const made = observer(
    members.map((member) => watched(member)),
    settings,
  );
  const agents = members.map((member) => new WireAgent(member, `i-${member.replace('/', '-')}`));
  for (const agent of agents) agent.greet(made.table, 0);
  return { ...made, table: made.table, agents, members };
}
/** Ticks; those in `living` beat once a second. */
function live(table: TestObserver['table'], living: readonly WireAgent[], fromMs: number, untilMs: number): void {
  run(table, fromMs, untilMs, (nowMs) => {
    if (nowMs % 1_000 === 0) for (const agent of living) agent.send(table, nowMs);
  });
}

describe('one silent member', () => {
  it('is suspect after 5 s and dead only 3 s later', () => {
    const { table } = fleet(1);
    run(table, 250, 4_750);
    expect(table.opinion('db/m0')?.verdict).toBe('alive');
    run(table, 5_000, 7_750);
    expect(table.opinion('db/m0')).toMatchObject({ verdict: 'suspect', reason: 'Silent', sinceMs: 5_000 });
    run(table, 8_000, 8_000);
    expect(table.opinion('db/m0')).toMatchObject({ verdict: 'dead', reason: 'ProbesFailed', lastHeardMs: 0 });
  });

  it('is not dead while its probes could not be sent', () => {
    const { table } = fleet(1);
    let planned = 0;
    for (let nowMs = 250; nowMs <= 30_000; nowMs += 250) {
      table.tick(at(nowMs));
      for (const order of table.planProbes(at(nowMs))) {
        planned++;
        table.probeResult(order, 'not-sent', at(nowMs));
      }
    }
    expect(planned).toBeGreaterThan(10);
    expect(table.opinion('db/m0')?.verdict).toBe('suspect');
  });

  it('is alive again with the first heartbeat, even when dead, and a probe result of the old suspicion is ignored', () => {
    const { table, agents } = fleet(1);
    run(table, 250, 5_250);
    const late = table.planProbes(at(5_500));
    expect(late).toHaveLength(1);
    run(table, 5_500, 9_000);
    expect(table.opinion('db/m0')?.verdict).toBe('dead');
    agents[0]?.send(table, 9_100);
    expect(table.opinion('db/m0')?.verdict).toBe('alive');
    for (const order of late) table.probeResult(order, 'sent', at(9_200));
    run(table, 9_250, 14_000);
    expect(table.opinion('db/m0')?.verdict).toBe('alive');
  });

  it('that said goodbye is suspect with that reason and dead only after the grace', () => {
    const { table, agents } = fleet(1, { goodbyeGraceMs: 20_000 });
    agents[0]?.send(table, 500, { goodbye: true });
    run(table, 750, 28_250);
    expect(table.opinion('db/m0')).toMatchObject({ verdict: 'suspect', reason: 'Goodbye' });
    run(table, 28_500, 29_000);
    expect(table.opinion('db/m0')?.verdict).toBe('dead');
  });

  it('that was never heard is unknown for ever, never suspect', () => {
    const { table } = observer([watched(M)]);
    run(table, 250, 3_600_000);
    expect(table.opinion(M)).toMatchObject({ verdict: 'unknown', reason: 'NeverHeard' });
  });

  it('the suspicion follows the activated instance: a replacement that is heard is alive, the predecessor is forgotten', () => {
    const { table } = fleet(1);
    const replacement = new WireAgent('db/m0', 'i-new');
    run(table, 250, 9_000);
    expect(table.opinion('db/m0')?.verdict).toBe('dead');
    replacement.greet(table, 9_100);
    expect(table.opinion('db/m0')?.verdict).toBe('dead');
    table.setRoster([watched('db/m0', { activatedInstanceId: 'i-new' })], at(9_200));
    table.tick(at(9_250));
    expect(table.opinion('db/m0')).toMatchObject({ verdict: 'alive', instanceId: 'i-new' });
  });
});

describe('a paused observer', () => {
  it.each([800, 3_000, 8_000, 60_000, 3_600_000])('of %i ms accuses nobody and has shifted every age', (pauseMs) => {
    const { table, agents } = fleet(10);
    live(table, agents, 250, 20_000);
    table.takeChanges();
    const resumeMs = 20_000 + pauseMs;
    expect(table.tick(at(resumeMs)).stalledMs).toBe(pauseMs);
    expect(table.abstention?.reason).toBe('OwnStall');
    // Nothing that was sent in the pause arrives: the buffer overflowed. From then on all beat as
    // always.
    const seen = new Set<string>();
    run(table, resumeMs + 250, resumeMs + 30_000, (nowMs) => {
      if ((nowMs - resumeMs) % 1_000 === 0) for (const agent of agents) agent.send(table, nowMs);
      for (const { verdict } of table.opinions()) seen.add(verdict);
    });
    expect([...seen]).toEqual(['alive']);
    expect(table.abstention).toBeNull();
  });

  it('still finds the one that died in the pause, later', () => {
    const { table, agents } = fleet(10);
    live(table, agents, 250, 20_000);
    table.tick(at(30_000));
    live(table, agents.slice(1), 30_250, 36_000);
    expect(table.opinion('db/m0')?.verdict).not.toBe('dead');
    live(table, agents.slice(1), 36_250, 60_000);
    expect(table.opinion('db/m0')?.verdict).toBe('dead');
  });

  it('takes back its accusations at once', () => {
    const { table, agents } = fleet(10);
    live(table, agents.slice(1), 250, 9_000);
    expect(table.opinion('db/m0')?.verdict).toBe('dead');
    table.takeChanges();
    table.tick(at(12_000));
    expect(table.opinion('db/m0')).toMatchObject({ verdict: 'unknown', reason: 'OwnStall' });
    expect(table.takeChanges().map((change) => change.member)).toEqual(['db/m0']);
  });

  it('a tick up to three intervals late is no stall', () => {
    const { table } = fleet(1);
    expect(table.tick(at(250)).stalledMs).toBe(0);
    expect(table.tick(at(1_000)).stalledMs).toBe(0);
    expect(table.tick(at(1_751)).stalledMs).toBe(751);
  });
});

describe('abstention', () => {
  it('until warm-up is over; what is heard meanwhile still vetoes', () => {
    const { table } = observer([watched(M), watched('db/b')], { warmUpMs: 20_000 });
    const a = new WireAgent(M, I);
    a.greet(table, 0);
    run(table, 250, 19_750);
    expect(table.opinion(M)).toMatchObject({ verdict: 'unknown', reason: 'WarmingUp' });
    expect(table.opinion('db/b')).toMatchObject({ verdict: 'unknown', reason: 'NeverHeard' });
    a.send(table, 19_800);
    expect(table.takeChanges().map(({ member, verdict }) => [member, verdict])).toEqual([[M, 'alive']]);
    run(table, 20_000, 20_000);
    expect(table.takeChanges().map((change) => change.member)).toEqual(['db/b']);
  });

  it('when fewer than half of the agents heard before are heard; those that are heard stay alive', () => {
    const { table, agents } = fleet(10);
    live(table, agents.slice(6), 250, 60_000);
    expect(table.abstention).toEqual({ reason: 'HearsTooFew', untilMs: null });
    expect(table.opinions().filter(({ verdict }) => verdict === 'alive')).toHaveLength(4);
    expect(table.opinions().filter(({ reason }) => reason === 'HearsTooFew')).toHaveLength(6);
    live(table, agents, 60_250, 70_000);
    expect(table.abstention).toBeNull();
    expect(new Set(table.opinions().map(({ verdict }) => verdict))).toEqual(new Set(['alive']));
  });

  it('a deaf observer never settles its own deafness: long after a death would have settled it still accuses nobody', () => {
    const { table } = fleet(10);
    const seen = new Set<string>();
    run(table, 250, 3 * DEFAULT_OBSERVER_SETTINGS.settledAfterMs, () => {
      if (table.abstention) for (const { verdict } of table.opinions()) seen.add(verdict);
      else for (const { verdict } of table.opinions()) expect(verdict).not.toBe('dead');
    });
    expect([...seen]).toEqual(['unknown']);
  });

  it.each([
    [1, 1],
    [2, 1],
    [2, 2],
    [3, 1],
    [3, 3],
    [4, 2],
    [10, 5],
  ])('of %i agents heard, %i silent ones can be dead: small fleets stay recoverable', (count, silentCount) => {
    const { table, agents } = fleet(count);
    live(table, agents.slice(silentCount), 250, 12_000);
    expect(table.opinions().filter(({ verdict }) => verdict === 'dead')).toHaveLength(silentCount);
  });

  it.each([
    [4, 3],
    [10, 6],
  ])('of %i agents heard, %i silent at once: it is me', (count, silentCount) => {
    const { table, agents } = fleet(count);
    live(table, agents.slice(silentCount), 250, 12_000);
    expect(table.opinions().filter(({ verdict }) => verdict === 'dead')).toHaveLength(0);
  });

  it('deaths that nobody recovers settle and do not add up to deafness', () => {
    const { table, agents } = fleet(6, { settledAfterMs: 10_000 });
    for (let dead = 1; dead <= 5; dead++) live(table, agents.slice(dead), (dead - 1) * 30_000 + 250, dead * 30_000);
    expect(table.abstention).toBeNull();
    expect(table.opinions().filter(({ verdict }) => verdict === 'dead')).toHaveLength(5);
  });

  it('a fast group is not accused while the slow majority is just as silent', () => {
    const fast = watched('fast/a', { suspectAfterMs: 1_500, confirmForMs: 1_000 });
    const slow = Array.from({ length: 9 }, (_, i) => watched(`slow/m${i}`, { suspectAfterMs: 60_000 }));
    const { table } = observer([fast, ...slow]);
    const agents = [fast, ...slow].map(
      ({ member, activatedInstanceId }) => new WireAgent(member, activatedInstanceId ?? ''),
    );
    for (const agent of agents) agent.greet(table, 0);
    live(table, agents, 250, 20_000);
    run(table, 20_250, 40_000, () => expect(table.opinion('fast/a')?.verdict).not.toBe('dead'));
    expect(table.abstention?.reason).toBe('HearsTooFew');
  });

  it('after datagrams were lost on our side', () => {
    const { table, agents } = fleet(5);
    live(table, agents.slice(1), 250, 6_000);
    expect(table.opinion('db/m0')?.verdict).toBe('suspect');
    table.noteReceiveLoss(at(6_100));
    expect(table.opinion('db/m0')).toMatchObject({ verdict: 'unknown', reason: 'ReceiveLoss' });
    live(table, agents.slice(1), 6_250, 10_000);
    expect(table.opinion('db/m0')?.verdict).toBe('suspect');
    live(table, agents.slice(1), 10_250, 12_000);
    expect(table.opinion('db/m0')?.verdict).toBe('dead');
  });
});

describe('roster', () => {
  it('members come and go, rows are used again, and nobody inherits anything', () => {
    const made = observer([watched(M), watched('db/b')]);
    const { table } = made;
    const a = new WireAgent(M, I);
    a.greet(table, 0);
    table.takeChanges();
    table.setRoster([watched('db/b'), watched('db/c', { activatedInstanceId: I })], at(100));
    expect(table.opinion(M)).toBeNull();
    expect(a.send(table, 200).outcome).toBe('unknown-agent');
    expect(table.opinion('db/c')).toMatchObject({ verdict: 'unknown', reason: 'NeverHeard' });
    expect(table.reading('db/c', I)).toBeNull();
    expect(table.takeChanges().map((change) => change.member)).toEqual(['db/c']);
    new WireAgent('db/c', I).greet(table, 300);
    expect(table.takeChanges().map(({ member, verdict }) => [member, verdict])).toEqual([['db/c', 'alive']]);
  });

  it('a removed member whose change was never taken does not swallow the change of its successor in the row', () => {
    const { table } = observer([watched(M)]);
    table.setRoster([], at(1));
    expect(table.takeChanges()).toEqual([]);
    table.setRoster([watched('db/z')], at(2));
    expect(table.takeChanges().map((change) => change.member)).toEqual(['db/z']);
  });

  it('grows to thousands and finds every one of them', () => {
    const members = Array.from({ length: 1_100 }, (_, i) => `big/m${i}` as MemberId);
    const made = observer([]);
    for (const size of [1, 10, 500, 1_100])
      made.table.setRoster(
        members.slice(0, size).map((m) => watched(m)),
        at(0),
      );
    for (const member of members) new WireAgent(member, `i-${member.replace('/', '-')}`).greet(made.table, 1);
    expect(new Set(verdicts(made))).toEqual(new Set(['alive']));
    expect(made.table.counts.recorded).toBe(1_100);
  });
});
