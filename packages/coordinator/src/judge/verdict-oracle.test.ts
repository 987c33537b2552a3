import { type GroupPolicy, GroupPolicySchema, monotonicMs } from '@understudy/shared';
import { describe, expect, it } from 'vitest';
import { assess } from './assess.ts';
import type { CloudReading, MemberEvidence, ObserverOpinion, TimedCheck } from './evidence.ts';
import { NOW, opinion, silentEverywhere, WALL } from './judge.fixtures.ts';

/**
 * Checks everything an observer, EC2 and the workload can say, in every combination, against an
 * oracle of a few lines that shares no code with the rules.
 */

const POLICY: GroupPolicy = GroupPolicySchema.parse({ detect: { degradedFailsAfterMs: 60_000 } });
const IDS = ['c1', 'c2', 'c3'] as const;

/**
 * What one observer may say. `gone`: it said dead, and its presence is gone. `elsewhere`: it says
 * dead of another instance.
 */
const SAYS = ['alive', 'suspect', 'dead', 'abstains', 'nothing', 'gone', 'elsewhere'] as const;
type Says = (typeof SAYS)[number];

function opinionOf(id: string, says: Says): ObserverOpinion[] {
  if (says === 'nothing') return [];
  if (says === 'abstains') return [opinion(id, 'unknown', 'OwnStall')];
  if (says === 'elsewhere') return [opinion(id, 'dead', 'ProbesFailed', { instanceId: 'i-other' })];
  return [opinion(id, says === 'gone' ? 'dead' : says, says)];
}

const cloud = (
  state: NonNullable<CloudReading['instance']>['state'],
  code: string | null = null,
  { ageMs = 1_000, bootedAgoMs = 86_400_000 } = {},
): CloudReading => ({
  readAtMs: monotonicMs(NOW - ageMs),
  instance: { state, stateReasonCode: code, stateReasonText: null, launchedAtWallMs: WALL - bootedAgoMs },
});

/**
 * What follows from EC2's answer if no observer hears the member. The list has all of EC2’s
 * StateReason codes, in the states they can come with.
 */
type Means = 'runs' | 'failed' | 'left' | 'unknown' | 'starting';
const DOWN = ['stopping', 'stopped', 'shutting-down', 'terminated'] as const;
const CODES: Readonly<Record<string, Means>> = {
  'Server.InsufficientInstanceCapacity': 'failed',
  'Server.InternalError': 'failed',
  'Server.ScheduledStop': 'failed',
  'Server.SpotInstanceShutdown': 'failed',
  'Server.SpotInstanceTermination': 'failed',
  'Client.UserInitiatedShutdown': 'left',
  'Client.UserInitiatedHibernate': 'left',
  'Client.InstanceInitiatedShutdown': 'failed',
  'Client.InstanceTerminated': 'unknown',
  'Client.InternalError': 'unknown',
  'Client.InvalidSnapshot.NotFound': 'unknown',
  'Client.VolumeLimitExceeded': 'unknown',
  'Client.SomethingNew': 'unknown',
};
const EC2: readonly (readonly [string, CloudReading | null, Means])[] = [
  ['never read', null, 'unknown'],
  ['a millisecond too old', cloud('running', null, { ageMs: 6_501 }), 'unknown'],
  ['just fresh enough', cloud('running', null, { ageMs: 6_500 }), 'runs'],
  ['old, stopped by EC2', cloud('stopped', 'Server.InternalError', { ageMs: 60_000 }), 'unknown'],
  ['old, stopped by an operator', cloud('stopped', 'Client.UserInitiatedShutdown', { ageMs: 60_000 }), 'unknown'],
  ['does not know it', { readAtMs: NOW, instance: null }, 'unknown'],
  ['pending', cloud('pending'), 'starting'],
  ['running', cloud('running'), 'runs'],
  ['running, in boot grace', cloud('running', null, { bootedAgoMs: 119_999 }), 'starting'],
  ['running, out of boot grace', cloud('running', null, { bootedAgoMs: 120_000 }), 'runs'],
  ...DOWN.map((state) => [`${state}, no reason`, cloud(state), 'unknown'] as const),
  ['stopping, by EC2', cloud('stopping', 'Server.ScheduledStop'), 'failed'],
  ['stopping, by an operator', cloud('stopping', 'Client.UserInitiatedShutdown'), 'left'],
  ['shutting-down, by an operator', cloud('shutting-down', 'Client.UserInitiatedShutdown'), 'left'],
  ...Object.entries(CODES).flatMap(([code, means]) =>
    (['stopped', 'terminated'] as const).map((state) => [`${state}, ${code}`, cloud(state, code), means] as const),
  ),
];

const check = (failingSinceMs: number | null, status: TimedCheck['status'] = 'fail'): TimedCheck => ({
  status,
  code: 22,
  ageSeconds: 1,
  failingSinceMs: failingSinceMs === null ? null : monotonicMs(failingSinceMs),
});
const told = (checks: readonly TimedCheck[], heardAgoMs = 400): MemberEvidence['workload'] => ({
  lastHeardAtMs: monotonicMs(NOW - heardAgoMs),
  checks,
});
const ebs = (sinceMs: number, readAgoMs: number): MemberEvidence['cloudStatus'] => ({
  readAtMs: monotonicMs(NOW - readAgoMs),
  status: { instanceId: 'i-old', state: 'running', system: 'ok', instance: 'ok', attachedEbs: 'impaired', events: [] },
  ebsImpairedSinceMs: monotonicMs(sinceMs),
});
type Works = 'well' | 'badly' | 'too badly';
const WORKLOAD: readonly (readonly [string, Pick<MemberEvidence, 'workload' | 'cloudStatus'>, Works])[] = [
  ['nothing known', { workload: null, cloudStatus: null }, 'well'],
  ['passing', { workload: told([check(null, 'pass')]), cloudStatus: null }, 'well'],
  ['warning', { workload: told([check(null, 'warn')]), cloudStatus: null }, 'well'],
  ['failing for a moment', { workload: told([check(NOW - 1_000)]), cloudStatus: null }, 'badly'],
  ['failing, a millisecond below', { workload: told([check(NOW - 59_999)]), cloudStatus: null }, 'badly'],
  ['failing, at the limit', { workload: told([check(NOW - 60_000)]), cloudStatus: null }, 'too badly'],
  ['two, together beyond', { workload: told([check(NOW - 40_000), check(NOW - 40_000)]), cloudStatus: null }, 'badly'],
  ['two, one beyond', { workload: told([check(NOW - 1_000), check(NOW - 70_000)]), cloudStatus: null }, 'too badly'],
  ['failing, not timed', { workload: told([check(null)]), cloudStatus: null }, 'badly'],
  ['failing, not heard of since', { workload: told([check(NOW - 90_000)], 5_000), cloudStatus: null }, 'well'],
  ['attached EBS impaired', { workload: null, cloudStatus: ebs(NOW - 50_000, 0) }, 'badly'],
  ['attached EBS impaired for long', { workload: null, cloudStatus: ebs(NOW - 60_000, 0) }, 'too badly'],
  ['impaired, proven for less', { workload: null, cloudStatus: ebs(NOW - 60_000, 1) }, 'badly'],
  ['impaired, said too long ago', { workload: null, cloudStatus: ebs(NOW - 300_000, 120_001) }, 'well'],
];

const TWO = { minimumObservers: 2, minimumZones: 2 };
const ONE = { minimumObservers: 1, minimumZones: 1 };
const THREE = { minimumObservers: 3, minimumZones: 2 };
/** Zones of the observers, and the configured demands. The member is in us-east-1a. */
const LAYOUTS = [
  ['three zones', ['us-east-1a', 'us-east-1b', 'us-east-1c'], [TWO, ONE, THREE]],
  ['two in its own zone', ['us-east-1a', 'us-east-1a', 'us-east-1b'], [TWO, ONE]],
  ['all in its own zone', ['us-east-1a', 'us-east-1a', 'us-east-1a'], [TWO, ONE]],
] as const;
const ABC = LAYOUTS[0][1];
/**
 * The default layouts meet every workload. The others meet one of each kind, because where the
 * observers are does not matter to a workload.
 */
const ONE_OF_EACH = [
  'nothing known',
  'failing for a moment',
  'failing, at the limit',
  'attached EBS impaired for long',
];
const workloadsOf = (zones: readonly string[], requirement: MemberEvidence['requirement']) =>
  zones === ABC && requirement === TWO ? WORKLOAD : WORKLOAD.filter(([name]) => ONE_OF_EACH.includes(name));

interface Case {
  readonly says: readonly Says[];
  readonly zones: readonly string[];
  readonly requirement: MemberEvidence['requirement'];
  readonly means: Means;
  readonly works: Works;
}

/** Counts whether enough observers are silent. */
function enough({ says, zones, requirement }: Case): boolean {
  const where = zones.filter((_, i) => says[i] === 'dead');
  const outside = where.filter((zone) => zone !== 'us-east-1a').length;
  const distinct = new Set(where).size;
  const { minimumObservers, minimumZones } = requirement;
  return where.length >= minimumObservers && distinct >= minimumZones && (minimumZones === 1 || outside > 0);
}

function oracle(one: Case): string {
  const count = (what: Says) => one.says.filter((says) => says === what).length;
  if (count('alive') > 0) return one.works === 'too badly' && one.means === 'runs' ? 'alive, act' : 'alive';
  if (one.means === 'left') return 'left';
  if (count('suspect') > 0) return 'suspect';
  if (count('dead') === 0) return 'unknown';
  if (one.means === 'unknown') return 'unknown';
  if (one.means === 'starting') return 'suspect';
  return enough(one) ? 'dead, act' : 'suspect';
}

const triples = SAYS.flatMap((a) => SAYS.flatMap((b) => SAYS.map((c) => [a, b, c] as const)));

function evidenceOf(says: readonly Says[], zones: readonly string[], rest: Partial<MemberEvidence>): MemberEvidence {
  const live = IDS.flatMap((coordinatorId, i) => (says[i] === 'gone' ? [] : [{ coordinatorId, az: zones[i] ?? '' }]));
  const opinions = IDS.flatMap((id, i) => opinionOf(id, says[i] ?? 'nothing'));
  return silentEverywhere({ observers: live, opinions, ...rest });
}

/** What no oracle may allow (S10, S11). It is checked also where code and oracle agree. */
function brokenRules(one: Case, evidence: MemberEvidence, verdict: string, act: boolean): string[] {
  const heard = one.says.includes('alive');
  const fresh = evidence.cloud !== null && NOW - evidence.cloud.readAtMs <= 6_500;
  return [
    ...(heard && verdict !== 'alive' ? ['heard and not alive'] : []),
    ...(verdict === 'left' && act ? ['acts on one that left'] : []),
    ...(!fresh && (verdict === 'dead' || act) ? ['acts without a fresh word of EC2'] : []),
    ...(verdict === 'dead' && !enough(one) ? ['dead for too few'] : []),
    ...(verdict === 'dead' && one.says.includes('suspect') ? ['dead while one is still confirming'] : []),
    ...(act && verdict !== 'dead' && one.works !== 'too badly' ? ['acts on neither silence nor failing checks'] : []),
  ];
}

describe('every combination of what observers, EC2 and workload say', () => {
  it.each(LAYOUTS)('%s: is judged as the oracle says, and breaks no safety rule', (_, zones, requirements) => {
    const wrong: string[] = [];
    const seen = new Map<string, number>();
    for (const requirement of requirements)
      for (const says of triples)
        for (const [ec2, reading, means] of EC2)
          for (const [workload, work, works] of workloadsOf(zones, requirement)) {
            const one: Case = { says, zones, requirement, means, works };
            const evidence = evidenceOf(says, zones, { cloud: reading, requirement, ...work });
            const { verdict, act } = assess(evidence, POLICY, NOW);
            const got = act ? `${verdict}, act` : verdict;
            seen.set(got, (seen.get(got) ?? 0) + 1);
            const faults = brokenRules(one, evidence, verdict, act);
            if ((got !== oracle(one) || faults.length > 0) && wrong.length < 10)
              wrong.push(`${says.join('/')} · ${ec2} · ${workload}: ${got}, want ${oracle(one)} ${faults.join()}`);
          }
    expect(wrong).toEqual([]);
    expect([...seen.keys()].sort()).toEqual(['alive', 'alive, act', 'dead, act', 'left', 'suspect', 'unknown']);
    expect([...seen.values()].reduce((a, b) => a + b)).toBe(
      343 * EC2.length * requirements.reduce((sum, one) => sum + workloadsOf(zones, one).length, 0),
    );
  });
});

describe('what is stale never counts', () => {
  it('an answer of EC2 that is too old changes nothing, whatever it says', () => {
    const old = EC2.flatMap(([, reading]) => (reading ? [{ ...reading, readAtMs: monotonicMs(NOW - 6_501) }] : []));
    for (const says of triples) {
      const answers = old.map((reading) => assess(evidenceOf(says, ABC, { cloud: reading }), POLICY, NOW));
      expect(new Set(answers.map((one) => `${one.verdict} ${one.reasonCode} ${one.act}`)).size).toBe(1);
    }
  });

  it('each piece that may grow too old says so, and weighs nothing then', () => {
    const stale: MemberEvidence = silentEverywhere({
      cloud: cloud('stopped', 'Client.UserInitiatedShutdown', { ageMs: 6_501 }),
      cloudStatus: ebs(1, 120_001),
      workload: told([check(1)], 5_000),
    });
    const { evidence } = assess(stale, POLICY, NOW);
    const dated = evidence.filter(({ freshForMs }) => freshForMs !== null);
    expect(dated.map(({ source }) => source)).toEqual(['ec2 state', 'ec2 status checks', 'agent checks']);
    for (const one of dated) {
      expect(one.text).toContain('too old to count');
      expect(one.weight).toBe('neutral');
      expect(one.ageMs ?? 0).toBeGreaterThanOrEqual(one.freshForMs ?? 0);
    }
  });

  it('only opinions (their lease bounds them) and single checks (the agent’s word bounds them) have no age of their own to fail by', () => {
    for (const [, reading] of EC2)
      for (const [, work] of WORKLOAD)
        for (const item of assess(silentEverywhere({ cloud: reading, ...work }), POLICY, NOW).evidence) {
          if (item.freshForMs === null) expect(item.source).toMatch(/^(?:observer|agent check|instance notice)/);
          else if (item.ageMs !== null && item.ageMs > item.freshForMs) expect(item.weight).toBe('neutral');
        }
  });
});
