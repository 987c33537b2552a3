import { GroupPolicySchema, type GroupPolicy, monotonicMs } from '@understudy/shared';
import { describe, expect, it } from 'vitest';
import { assess } from './assess.ts';
import { readCloud } from './cloud-evidence.ts';
import type { MemberEvidence, ObserverOpinion, ServiceOpinionRecord } from './evidence.ts';
import { NOW, opinion, silentEverywhere, WALL } from './judge.fixtures.ts';
import { readService } from './service-evidence.ts';

const POLICY = GroupPolicySchema.parse({
  detect: { serviceProbes: [{ kind: 'tcp', port: 5_432 }], serviceFailsAfterMs: 60_000 },
});
const service = (change: Partial<ServiceOpinionRecord> = {}): ServiceOpinionRecord => ({
  state: 'failing',
  probe: 'tcp-5432',
  reason: 'Refused',
  sinceWallMs: WALL - 70_000,
  passedBefore: true,
  warning: null,
  ...change,
});
const finds = (observer: string, change: Partial<ServiceOpinionRecord> = {}): ObserverOpinion =>
  opinion(observer, 'alive', 'Heard', { service: service(change) });
const ALL = [finds('c1'), finds('c2'), finds('c3')];

const since = (forMs: number | null) => ({
  serviceUnreachableSinceMs: forMs === null ? null : monotonicMs(NOW - forMs),
});
const judge = (change: Partial<MemberEvidence>, policy: GroupPolicy = POLICY) =>
  assess(silentEverywhere({ opinions: ALL, ...since(60_000), ...change }), policy, NOW);
const found = (change: Partial<MemberEvidence>) => {
  const evidence = silentEverywhere({ opinions: ALL, ...since(60_000), ...change });
  return readService(evidence, POLICY, readCloud(evidence, POLICY, NOW), NOW);
};

describe('services that nobody can reach', () => {
  it('are a failure once they have been so for as long as the policy says, to the millisecond', () => {
    expect(judge(since(59_999))).toMatchObject({ reasonCode: 'ServiceUnreachable', act: false });
    expect(judge(since(60_000))).toMatchObject({ reasonCode: 'ServiceUnreachableTooLong', act: true });
    expect(judge(since(null))).toMatchObject({ reasonCode: 'ServiceUnreachable', act: false });
  });

  it('are said of a member that is heard, and of no other', () => {
    expect(judge({}).serviceUnreachable).toBe(true);
    expect(judge({ opinions: [finds('c1'), finds('c2', { state: 'passing' })] }).serviceUnreachable).toBe(false);
    const silent = ALL.map((one) => ({ ...one, verdict: 'dead' as const }));
    expect(judge({ opinions: silent })).toMatchObject({ verdict: 'dead', serviceUnreachable: false, degraded: false });
  });

  it('prove nothing while EC2 says that it is starting', () => {
    const pending = {
      readAtMs: NOW,
      instance: { state: 'pending' as const, stateReasonCode: null, stateReasonText: null, launchedAtWallMs: WALL },
    };
    expect(found({ cloud: pending })).toMatchObject({ unreachable: false, failed: false });
    expect(judge({ cloud: pending })).toMatchObject({ reasonCode: 'Heard', serviceUnreachable: false });
  });
});

describe('who finds what failing', () => {
  it('is named in the order of names, without those for whom it passes', () => {
    expect(found({ opinions: [finds('c3'), finds('c1'), finds('c2', { state: 'passing' })] }).text).toBe(
      'tcp-5432: Refused at c1, c3',
    );
    expect(found({ opinions: [finds('c2', { reason: 'Timeout' }), finds('c1')] }).text).toBe(
      'tcp-5432: Timeout at c2; tcp-5432: Refused at c1',
    );
  });

  it('says why it means nothing for the member, where it means nothing', () => {
    const remarkOf = (change: Partial<MemberEvidence>) => {
      const text = found(change).evidence.find((one) => one.source === 'service from c1')?.text;
      return text?.slice('tcp-5432 fails: Refused (1 min 10 s)'.length);
    };
    expect(remarkOf({})).toBe('');
    expect(remarkOf({ opinions: [finds('c1'), finds('c2', { state: 'passing' })] })).toContain('passes for others');
    expect(remarkOf({ opinions: [finds('c1')] })).toContain('too few');
    const instance = {
      state: 'pending',
      stateReasonCode: null,
      stateReasonText: null,
      launchedAtWallMs: WALL,
    } as const;
    expect(remarkOf({ cloud: { readAtMs: NOW, instance } })).toContain('starting');
  });

  it('a certificate is the reason why it never acts as soon as one of them finds it so', () => {
    const opinions = [finds('c1'), finds('c2', { reason: 'CertificateExpired' })];
    expect(found({ opinions }).neverActs).toContain('a certificate is at fault');
    const unproven = [finds('c1'), finds('c2', { passedBefore: false })];
    expect(found({ opinions: unproven }).neverActs).toContain('too few observers have seen it pass');
  });
});
