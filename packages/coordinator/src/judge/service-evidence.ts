import { durationText, type GroupPolicy, type MonotonicMs } from '@understudy/shared';
import type { CloudFinding } from './cloud-evidence.ts';
import type { EvidenceItem, MemberEvidence, ObserverOpinion, ServiceOpinionRecord } from './evidence.ts';
import { type Judgement, LATER_MS, SOON_MS } from './judgement.ts';
import { abstentionOf, areEnough } from './quorum.ts';

export interface ServiceFinding {
  /**
   * True when every observer with an opinion finds a service failing, and those that hear the
   * member are enough. Never true of a member that nobody hears.
   */
  readonly unreachable: boolean;
  readonly failingForMs: number;
  /** True when this has lasted for so long that the policy counts it as a failure. */
  readonly failed: boolean;
  /** `tcp-5432: Refused at c1, c2`. */
  readonly text: string;
  /**
   * Why it never counts as a failure, however long it lasts. Null: it does, where the policy says
   * so.
   */
  readonly neverActs: string | null;
  readonly evidence: readonly EvidenceItem[];
}

interface Vote {
  readonly opinion: ObserverOpinion;
  readonly service: ServiceOpinionRecord;
}

/** A new machine has the same certificate: replacing cures none of these. */
const isOfCertificate = (reason: string): boolean => reason.startsWith('Certificate');

/**
 * Reads the services as seen from outside, with the same quorum as for `dead`: a failure at one
 * observer only is that observer's path. An observer that abstains or has no opinion does not
 * count. A failure seen by one that does not hear the member does not count either, because its
 * network is in doubt; a service that passes for it does pass. Nothing is concluded while EC2 says
 * the instance is starting, or within the boot grace.
 */
export function readService(
  evidence: MemberEvidence,
  policy: GroupPolicy,
  cloud: CloudFinding,
  nowMs: MonotonicMs,
): ServiceFinding {
  const votes = policy.detect.serviceProbes.length === 0 ? [] : votesOf(evidence);
  const passing = votes.filter(({ service }) => service.state === 'passing');
  const failing = votes.filter(({ service, opinion }) => service.state === 'failing' && opinion.verdict === 'alive');
  const starting = cloud.kind === 'hold' && (cloud.code === 'BootGrace' || cloud.code === 'Starting');
  const opinionsOf = (some: readonly Vote[]) => some.map((vote) => vote.opinion);
  const enough = areEnough(evidence, opinionsOf(failing));
  const unreachable = !starting && passing.length === 0 && enough;
  const since = evidence.serviceUnreachableSinceMs ?? null;
  const failingForMs = unreachable && since !== null ? nowMs - since : 0;
  const neverActs = whyNeverActs(policy, areEnough(evidence, opinionsOf(failing.filter(isCurable))), failing);
  return {
    unreachable,
    failingForMs,
    failed: unreachable && neverActs === null && failingForMs >= policy.detect.serviceFailsAfterMs,
    text: failingText(failing),
    neverActs,
    evidence: votes.map((vote) =>
      serviceItem(vote, evidence, whyNothing({ starting, passing: passing.length, enough })),
    ),
  };
}

function votesOf(evidence: MemberEvidence): Vote[] {
  return evidence.opinions.flatMap((opinion) => {
    const { service } = opinion;
    return service && abstentionOf(evidence, opinion) === null ? [{ opinion, service }] : [];
  });
}

const isCurable = ({ service }: Vote): boolean => service.passedBefore && !isOfCertificate(service.reason);

function whyNeverActs(policy: GroupPolicy, enough: boolean, failing: readonly Vote[]): string | null {
  if (policy.detect.serviceFailsAfterMs === 0)
    return 'detect.serviceFailsAfterMs is 0: unreachable services alone never fail it';
  if (enough) return null;
  if (failing.some(({ service }) => isOfCertificate(service.reason)))
    return 'a certificate is at fault: replacing the machine cures none';
  return 'too few observers have seen it pass on this instance: the probe itself may be wrong';
}

/** What fails and which observers say so, grouped by what they say. */
function failingText(failing: readonly Vote[]): string {
  const said = Map.groupBy(failing, ({ service }) => `${service.probe}: ${service.reason}`);
  return [...said]
    .map(
      ([what, votes]) =>
        `${what} at ${votes
          .map((vote) => vote.opinion.observer)
          .sort()
          .join(', ')}`,
    )
    .join('; ');
}

/** Why a shown failure means nothing for the member. Empty when it does mean something. */
function whyNothing(found: { readonly starting: boolean; readonly passing: number; readonly enough: boolean }): string {
  if (found.starting) return '; it is starting: not counted';
  if (found.passing > 0) return '; it passes for others: the path may be at fault';
  return found.enough ? '' : '; too few say so';
}

function serviceItem({ opinion, service }: Vote, { wallNowMs }: MemberEvidence, remark: string): EvidenceItem {
  const ageMs = Math.max(0, wallNowMs - service.sinceWallMs);
  const proven = service.passedBefore ? '' : ', never seen passing on this instance';
  const failing = `${service.probe} fails: ${service.reason} (${durationText(ageMs)})${proven}${remark}`;
  const text = service.state === 'failing' ? failing : 'services pass';
  const warning = service.warning === null ? '' : `; warning: ${service.warning}`;
  const source = `service from ${opinion.observer}`;
  return { source, text: `${text}${warning}`, ageMs, freshForMs: null, weight: 'neutral' };
}

/**
 * Judges a member that is heard, whose agent is content, and whose services nobody can reach.
 * `heardBy` is the beginning of the sentence.
 */
export function judgeUnreachable(
  service: ServiceFinding,
  heardBy: string,
  cloud: CloudFinding,
  policy: GroupPolicy,
): Omit<Judgement, 'verdict'> {
  const limit = policy.detect.serviceFailsAfterMs;
  const failing = `but its services are unreachable for ${durationText(service.failingForMs)} (${service.text})`;
  const passes = 'a probe that passes again at one observer ⇒ not unreachable for all';
  if (!service.failed)
    return {
      reasonCode: 'ServiceUnreachable',
      reason: `${heardBy}, ${failing}.`,
      wouldChange: [passes, service.neverActs ?? `unreachable for ${durationText(limit)} ⇒ failed`],
      recheckInMs: service.neverActs === null ? Math.max(SOON_MS, limit - service.failingForMs) : LATER_MS,
      act: false,
    };
  const act = cloud.kind === 'running';
  return {
    reasonCode: 'ServiceUnreachableTooLong',
    reason: `${heardBy}, ${failing}, the limit is ${durationText(limit)}${act ? '' : '; EC2 has not confirmed that it runs'}.`,
    wouldChange: [passes],
    recheckInMs: SOON_MS,
    act,
  };
}
