import { DEFAULT_POLICY, monotonicMs } from '@understudy/shared';
import { describe, expect, it } from 'vitest';
import { assess } from './assess.ts';
import type { CloudReading, MemberEvidence } from './evidence.ts';
import { NOW, opinion, silentEverywhere, WALL } from './judge.fixtures.ts';

type Opinions = MemberEvidence['opinions'];
const IDS = ['c1', 'c2', 'c3'] as const;
const everyone = (verdict: Opinions[number]['verdict'], reason: string): Opinions =>
  IDS.map((id) => opinion(id, verdict, reason));
const dead = everyone('dead', 'ProbesFailed');

/** Columns: what the observers say. */
const HEARING: Readonly<Record<string, Opinions>> = {
  heard: [opinion('c1', 'alive', 'Heard'), ...dead.slice(1)],
  confirming: [opinion('c1', 'suspect', 'Silent'), ...dead.slice(1)],
  silent: dead,
  'too few': dead.slice(0, 1),
  'never heard': everyone('unknown', 'NeverHeard'),
  nobody: [],
};

const cloud = (
  state: NonNullable<CloudReading['instance']>['state'],
  stateReasonCode: string | null = null,
  ageMs = 1_000,
): CloudReading => ({
  readAtMs: monotonicMs(NOW - ageMs),
  instance: { state, stateReasonCode, stateReasonText: null, launchedAtWallMs: WALL - 86_400_000 },
});

/** Rows: what EC2 says. */
const CLOUD: Readonly<Record<string, CloudReading | null>> = {
  'cannot be read': null,
  stale: cloud('running', null, 7_000),
  'unknown id': { readAtMs: NOW, instance: null },
  pending: cloud('pending'),
  running: cloud('running'),
  'stopped by EC2': cloud('stopped', 'Server.InternalError'),
  'stopped by OS': cloud('stopped', 'Client.InstanceInitiatedShutdown'),
  'stopped by operator': cloud('stopped', 'Client.UserInitiatedShutdown'),
  'stopped, no reason': cloud('stopped'),
};

/**
 * `!` marks a failure to act on. The table shows every cell at the default policy: a cell that
 * changes is a decision that changed.
 */
const TABLE = `
                    | heard | confirming | silent  | too few | never heard | nobody
cannot be read      | alive | suspect    | unknown | unknown | unknown     | unknown
stale               | alive | suspect    | unknown | unknown | unknown     | unknown
unknown id          | alive | suspect    | unknown | unknown | unknown     | unknown
pending             | alive | suspect    | suspect | suspect | unknown     | unknown
running             | alive | suspect    | dead!   | suspect | unknown     | unknown
stopped by EC2      | alive | suspect    | dead!   | suspect | unknown     | unknown
stopped by OS       | alive | suspect    | dead!   | suspect | unknown     | unknown
stopped by operator | alive | left       | left    | left    | left        | left
stopped, no reason  | alive | suspect    | unknown | unknown | unknown     | unknown
`;

const [head = [], ...rows] = TABLE.trim()
  .split('\n')
  .map((row) => row.split('|').map((cell) => cell.trim()));
const columns = head.slice(-Object.keys(HEARING).length);
const cells = rows.flatMap(([says = '', ...verdicts]) =>
  verdicts.map((verdict, at) => [says, columns[at] ?? '', verdict] as const),
);

describe('verdict by what EC2 says and what the observers say', () => {
  it('has every row and column once', () => {
    expect(columns).toEqual(Object.keys(HEARING));
    expect(rows.map(([says]) => says)).toEqual(Object.keys(CLOUD));
    expect(cells).toHaveLength(54);
  });

  it.each(cells)('EC2: %s, observers: %s ⇒ %s', (says, heard, expected) => {
    const evidence = silentEverywhere({ cloud: CLOUD[says] ?? null, opinions: HEARING[heard] ?? [] });
    const { verdict, act } = assess(evidence, DEFAULT_POLICY, NOW);
    expect(`${verdict}${act ? '!' : ''}`).toBe(expected);
  });
});
