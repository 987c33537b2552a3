import type { ExplainView } from '@understudy/shared';
import { describe, expect, it } from 'vitest';
import { explainText } from './explain-view.ts';

const AT = 1_767_225_600_000;

const HELD: ExplainView = {
  member: 'db/primary',
  openRecovery: null,
  readinessProblems: [],
  instanceId: 'i-0a1',
  incarnation: 3,
  az: 'us-east-1a',
  atWallMs: AT,
  answeredBy: { coordinatorId: 'c1', leader: true, term: 42 },
  unknownHere: [],
  judged: { standing: 'current', by: 'c1', term: 7, verdict: 'dead', ageMs: 100, sinceWallMs: 1 },
  ownView: { observer: 'c1', verdict: 'dead', reason: 'ProbesFailed' },
  verdict: 'dead',
  reasonCode: 'SilentEverywhere',
  reason: 'db/primary is silent for 8.0 s or more, probes included, at c1, c2 in us-east-1a, us-east-1b.',
  degraded: false,
  decision: { kind: 'hold', reason: 'Cooldown', text: 'last recovery ended 8 min 20 s ago', untilWallMs: AT + 100_000 },
  evidence: [
    { source: 'observer c1', text: 'dead: ProbesFailed', ageMs: 3_000, freshForMs: null, weight: 'for-dead' },
    { source: 'ec2 state', text: 'running', ageMs: 1_000, freshForMs: 6_500, weight: 'neutral' },
  ],
  gates: [
    { gate: 'Paused', passes: true, value: 'not paused', limit: 'no pause', untilWallMs: null },
    { gate: 'Cooldown', passes: false, value: '8 min 20 s ago', limit: '10 min 0 s', untilWallMs: AT + 100_000 },
  ],
  wouldFlip: ['a heartbeat heard by any observer ⇒ alive', 'gate Cooldown'],
  lookAgainInMs: 250,
  hold: { reason: 'Cooldown', text: 'last recovery ended 8 min 20 s ago', sinceWallMs: AT, untilWallMs: AT + 100_000 },
  recovery: null,
  console: null,
  changes: [
    {
      ...{ atWallMs: AT - 3_000, by: 'c1 as leader', instanceId: 'i-0a1', verdict: 'dead' },
      ...{ reasonCode: 'SilentEverywhere', reason: 'silent everywhere' },
    },
    {
      ...{ atWallMs: AT - 6_000, by: 'observer c1', instanceId: 'i-0a1', verdict: 'suspect' },
      ...{ reasonCode: 'Silent', reason: 'Silent' },
    },
  ],
};

/** The text without trailing blanks, which only align columns. */
const shown = (view: ExplainView) =>
  explainText(view)
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');

describe('the ways back', () => {
  const rungs: NonNullable<ExplainView['rungs']> = [
    { rung: 'reboot', said: 'skipped', why: 'nothing of it answers', deadlineMs: 300_000 },
    { rung: 'stop-start', said: 'tried', why: 'it was tried and not back', deadlineMs: 300_000 },
    { rung: 'snapshot-and-replace', said: 'taken', why: 'another instance from copies', deadlineMs: null },
  ];

  it('stand in order, each with what becomes of it, its time, and the reason', () => {
    const text = shown({ ...HELD, rungs });
    expect(text).toMatch(/reboot +left out +5 min 0 s +nothing of it answers/);
    expect(text).toMatch(/stop-start +tried +5 min 0 s +it was tried and not back/);
    expect(text).toMatch(/snapshot-and-replace +next +- +another instance from copies/);
  });

  it('are not shown where the policy names one', () => expect(shown(HELD)).not.toContain('way back'));
});

describe('explain, for a stranger', () => {
  it('a held member: verdict, decision, evidence, gates, what would flip it, and how it came to this', () => {
    expect(shown(HELD)).toBe(`db/primary  i-0a1 #3 in us-east-1a
verdict    dead (SilentEverywhere): db/primary is silent for 8.0 s or more, probes included, at c1, c2 in us-east-1a, us-east-1b.
decision   held: Cooldown: last recovery ended 8 min 20 s ago, until 2026-01-01 00:01:40 UTC
answered   by c1 (leader, term 42) at 2026-01-01 00:00:00 UTC

evidence     age (allowed)   weighs    says
observer c1  3.0 s           for dead  dead: ProbesFailed
ec2 state    1.0 s of 6.5 s            running

gate             is              wanted
Paused    ok     not paused      no pause
Cooldown  HOLDS  8 min 20 s ago  10 min 0 s (from 2026-01-01 00:01:40)

what would flip it (looked at again within 250 ms)
  - a heartbeat heard by any observer ⇒ alive
  - gate Cooldown

when (UTC)                      who           verdict  why
2025-12-31 23:59:57, 3.0 s ago  c1 as leader  dead     SilentEverywhere: silent everywhere
2025-12-31 23:59:54, 6.0 s ago  observer c1   suspect  Silent`);
  });

  it('a follower names what it does not know', () => {
    const text = shown({
      ...HELD,
      answeredBy: { coordinatorId: 'c2', leader: false, term: null },
      unknownHere: ['what EC2 says'],
      decision: { kind: 'none', reason: null, text: 'Not decided here: c1 leads.', untilWallMs: null },
      ...{ wouldFlip: [], lookAgainInMs: null, changes: [] },
    });
    expect(text).toContain(
      'decision   Not decided here: c1 leads.; held: Cooldown: last recovery ended 8 min 20 s ago',
    );
    expect(text).toContain('answered   by c2 (follower)');
    expect(text).toContain('not known here; ask the leader\n  - what EC2 says');
    expect(text).toContain('no change of mind since this coordinator began');
    expect(text).not.toContain('flip');
  });

  it('the last words of the machine: the end of them, and nothing that a terminal would obey', () => {
    const text = `${'boot\n'.repeat(30)}\u001b[2JKernel panic\r\n`;
    const lines = shown({ ...HELD, console: { instanceId: 'i-0a1', capturedAtWallMs: AT, text } }).split('\n');
    const from = lines.indexOf('console of i-0a1, captured at 2026-01-01 00:00:00 UTC');
    expect(lines.slice(from + 1, from + 13)).toEqual([...Array<string>(11).fill('  | boot'), '  | ␛[2JKernel panic']);
    expect(lines[from + 13]).toBe('');
  });

  it('an open recovery has no gates to ask', () => {
    const decision = { kind: 'recovering', reason: null, text: 'Recovery op-1 is open', untilWallMs: null } as const;
    const text = shown({ ...HELD, decision, evidence: [], gates: [] });
    expect(text).toContain('decision   Recovery op-1 is open\n');
    expect(text).not.toContain('wanted');
  });
});
