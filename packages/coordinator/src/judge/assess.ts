import { durationText, type GroupPolicy, type MonotonicMs } from '@understudy/shared';
import { type CloudFinding, cloudEvidence, cloudFreshForMs, readCloud } from './cloud-evidence.ts';
import type { AssessReason, Assessment, MemberEvidence, Quorum } from './evidence.ts';
import { type Judgement, LATER_MS, SOON_MS } from './judgement.ts';
import { countVotes, opinionEvidence } from './quorum.ts';
import { onlyAnswersDelay, withoutForeignAnswers } from './probe-answers.ts';
import { judgeUnreachable, readService, type ServiceFinding } from './service-evidence.ts';
import { readWorkload, type WorkloadFinding } from './workload-evidence.ts';

const HEARD_CHANGES = 'a heartbeat heard by any observer ⇒ alive';

/**
 * Is this member failed? One pure function of everything that is known, in this order (first match
 * wins):
 *
 * 1. an observer hears it ⇒ `alive` (S: a veto), perhaps degraded, and failed only where the policy
 *    says so of failing checks or unreachable services;
 * 2. EC2 says a person stopped it ⇒ `left`;
 * 3. nobody votes ⇒ `unknown`; not all who vote have confirmed, or a service probe is answered ⇒
 *    `suspect`;
 * 4. EC2 cannot be read, does not know it, or it is still starting ⇒ `unknown` or `suspect`, never
 *    `dead`;
 * 5. the silent observers are too few, or too close together (S) ⇒ `suspect`;
 * 6. `dead`.
 */
export function assess(told: MemberEvidence, policy: GroupPolicy, nowMs: MonotonicMs): Assessment {
  const evidence = withoutForeignAnswers(told, policy, nowMs);
  const quorum = countVotes(evidence);
  const cloud = readCloud(evidence, policy, nowMs);
  const workload = readWorkload(evidence, policy, nowMs);
  const service = readService(evidence, policy, cloud, nowMs);
  const judgement =
    quorum.hearing.length > 0
      ? judgeHeard({ evidence, quorum, cloud, workload, service, policy })
      : judgeSilence(evidence, quorum, cloud, policy);
  const silent = quorum.hearing.length === 0;
  return {
    ...judgement,
    degraded: !silent && (workload.degraded || service.unreachable),
    failingForMs: !silent && workload.degraded && policy.detect.degradedFailsAfterMs > 0 ? workload.failingForMs : null,
    evidence: [
      ...opinionEvidence(evidence),
      ...cloudEvidence(evidence, policy, cloud, nowMs),
      ...workload.evidence,
      ...service.evidence,
    ],
    wantsCloudReading:
      (quorum.silentEverywhere || (silent && quorum.voting.length > 0) || workload.failed || service.failed) &&
      (evidence.cloud === null || nowMs - evidence.cloud.readAtMs > cloudFreshForMs(policy) / 2),
    quorum,
    serviceUnreachable: service.unreachable,
  };
}

interface Heard {
  readonly evidence: MemberEvidence;
  readonly quorum: Quorum;
  readonly cloud: CloudFinding;
  readonly workload: WorkloadFinding;
  readonly service: ServiceFinding;
  readonly policy: GroupPolicy;
}

/**
 * What the agent says of itself comes first, because it knows more of the reason. The outside view
 * comes first only where it alone is bad enough to act on.
 */
function judgeHeard({ evidence, quorum, cloud, workload, service, policy }: Heard): Judgement {
  const heardBy = `${evidence.member} is heard by ${quorum.hearing.join(', ')}`;
  const alive = { verdict: 'alive', recheckInMs: LATER_MS, act: false } as const;
  const two = twoAgentsAt(evidence, quorum);
  if (two.length > 0)
    return {
      ...alive,
      reasonCode: 'TwoAgents',
      reason: `${heardBy}, but two agents speak for it at ${two.join(', ')}: what either says of its checks and services counts for nothing.`,
      wouldChange: [
        'one of the two agents ended, for half a minute ⇒ heard',
        'both silent at every observer ⇒ suspect',
      ],
      recheckInMs: 1_000,
    };
  if (service.unreachable && !workload.failed && (service.failed || !workload.degraded))
    return { ...alive, ...judgeUnreachable(service, heardBy, cloud, policy) };
  if (!workload.degraded)
    return {
      ...alive,
      reasonCode: 'Heard',
      reason: `${heardBy}.`,
      wouldChange: [`silence of ${durationText(policy.detect.suspectAfterMs)} at every observer ⇒ suspect`],
    };
  const failing = `but has failing checks, the longest for ${durationText(workload.failingForMs)} (${workload.text})`;
  const limit = policy.detect.degradedFailsAfterMs;
  if (!workload.failed)
    return {
      ...alive,
      reasonCode: 'Degraded',
      reason: `${heardBy}, ${failing}.`,
      wouldChange: [
        limit > 0
          ? `one check failing for ${durationText(limit)} without a break ⇒ failed`
          : 'detect.degradedFailsAfterMs is 0: failing checks alone never fail it',
      ],
      recheckInMs: limit > 0 ? Math.max(SOON_MS, limit - workload.failingForMs) : LATER_MS,
    };
  const act = cloud.kind === 'running';
  return {
    ...alive,
    reasonCode: 'DegradedTooLong',
    reason: `${heardBy}, ${failing}, the limit is ${durationText(limit)}${act ? '' : '; EC2 has not confirmed that it runs'}.`,
    wouldChange: ['one passing answer of each check that has failed for that long ⇒ not failed'],
    recheckInMs: SOON_MS,
    act,
  };
}

/**
 * Observers that hear the member from two boot epochs at once. Nobody can say which of the two
 * tells the truth about the workload.
 */
const twoAgentsAt = ({ opinions }: MemberEvidence, { hearing }: Quorum): readonly string[] =>
  opinions
    .filter(({ observer, reason }) => reason === 'TwoAgents' && hearing.includes(observer))
    .map((one) => one.observer);

function judgeSilence(evidence: MemberEvidence, quorum: Quorum, cloud: CloudFinding, policy: GroupPolicy): Judgement {
  const passive = { act: false, recheckInMs: SOON_MS } as const;
  if (cloud.kind === 'left')
    return {
      ...passive,
      verdict: 'left',
      reasonCode: cloud.code,
      reason: `${evidence.member} left: ${cloud.text}.`,
      recheckInMs: LATER_MS,
      wouldChange: [
        'its instance is started again',
        'detect.recoverOperatorStops or detect.recoverOsShutdown in the policy',
      ],
    };
  if (quorum.voting.length === 0) return judgeWithoutVotes(evidence, quorum);
  if (!quorum.silentEverywhere) {
    const answered = onlyAnswersDelay(evidence, quorum);
    if (answered.length > 0) return judgeAnswered(evidence, answered, policy);
    const confirming = quorum.voting.filter((observer) => !quorum.silent.includes(observer));
    return {
      ...passive,
      verdict: 'suspect',
      reasonCode: 'SomeStillConfirming',
      reason: `Nobody hears ${evidence.member}; ${confirming.join(', ')} still confirming.`,
      wouldChange: [HEARD_CHANGES, `${confirming.join(', ')} confirming the silence`],
    };
  }
  if (cloud.kind === 'hold')
    return {
      ...passive,
      verdict: cloud.verdict,
      reasonCode: cloud.code,
      reason: `Silent at ${quorum.silent.join(', ')}, but ${cloud.text}.`,
      wouldChange: [HEARD_CHANGES, 'a fresh answer from EC2 that it runs, or failed'],
    };
  if (!quorum.met) return judgeTooFew(evidence, quorum);
  return judgeDead(evidence, quorum, cloud, policy);
}

function judgeAnswered({ member }: MemberEvidence, answered: readonly string[], policy: GroupPolicy): Judgement {
  const limit = policy.detect.answeredProbesHoldForMs;
  return {
    verdict: 'suspect',
    reasonCode: 'ProbeAnswered',
    reason: `Nobody hears ${member}, but its address still answers service probes from ${answered.join(', ')}: its host lives without its agent, or another machine has its address.`,
    wouldChange: [
      HEARD_CHANGES,
      'probes no longer answered at any observer ⇒ dead',
      `answered for ${durationText(limit)} without a heartbeat (detect.answeredProbesHoldForMs) ⇒ dead`,
      'EC2 saying stopped or terminated ⇒ the answers are of another machine, and do not count',
    ],
    recheckInMs: SOON_MS,
    act: false,
  };
}

function judgeWithoutVotes(evidence: MemberEvidence, quorum: Quorum): Judgement {
  const relevant = evidence.opinions.filter((opinion) => quorum.abstaining.includes(opinion.observer));
  const neverHeard = relevant.length > 0 && relevant.every((opinion) => opinion.reason === 'NeverHeard');
  const retired = relevant.filter((opinion) => opinion.reason === 'KeyRetired').map((opinion) => opinion.observer);
  if (retired.length > 0)
    return {
      verdict: 'unknown',
      reasonCode: 'KeyRetired',
      reason: `${evidence.member} was last heard under a key that ${retired.join(', ')} no longer ${retired.length === 1 ? 'has' : 'have'}: it may be speaking, and its silence proves nothing.`,
      wouldChange: ['a heartbeat under a key that is accepted ⇒ alive'],
      recheckInMs: 1_000,
      act: false,
    };
  return {
    verdict: 'unknown',
    reasonCode: neverHeard ? 'NeverHeard' : 'EveryoneAbstains',
    reason: neverHeard
      ? `${evidence.member} was never heard by any observer: pending, not failed.`
      : `No live observer has an opinion about ${evidence.member}.${ofTooFew(relevant)}`,
    wouldChange: ['a first heartbeat ⇒ alive; only what was heard once can be missed'],
    recheckInMs: 1_000,
    act: false,
  };
}

/** Where they all hear too few, a person can tell a lost zone from deaf observers. */
function ofTooFew(abstaining: MemberEvidence['opinions']): string {
  if (abstaining.length === 0 || abstaining.some((opinion) => opinion.reason !== 'HearsTooFew')) return '';
  return ' Each hears less than half of the members that it heard: it may be deaf, or a zone with most of them is lost. If it is lost, name it in guard.lostZones of their groups, with an end.';
}

function judgeTooFew(evidence: MemberEvidence, quorum: Quorum): Judgement {
  const { minimumObservers, minimumZones } = quorum.requirement;
  const [reasonCode, lacking]: [AssessReason, string] =
    quorum.silent.length < minimumObservers
      ? ['NotEnoughObservers', `${quorum.silent.length} of at least ${minimumObservers} observers`]
      : quorum.zones.length < minimumZones
        ? ['NotEnoughZones', `observers in ${quorum.zones.length} of at least ${minimumZones} zones`]
        : ['NoObserverOutsideZone', `no observer outside ${evidence.az}`];
  return {
    verdict: 'suspect',
    reasonCode,
    reason: `${evidence.member} is silent for everyone who votes, but that is ${lacking}.`,
    wouldChange: [HEARD_CHANGES, ...quorum.abstaining.map((observer) => `${observer} joining in, it abstains now`)],
    recheckInMs: 1_000,
    act: false,
  };
}

function judgeDead(evidence: MemberEvidence, quorum: Quorum, cloud: CloudFinding, policy: GroupPolicy): Judgement {
  const silence = `${evidence.member} is silent for ${durationText(policy.detect.suspectAfterMs + policy.detect.confirmForMs)} or more, probes included, at ${quorum.silent.join(', ')} in ${quorum.zones.join(', ')}`;
  const failed = cloud.kind === 'failed';
  return {
    verdict: 'dead',
    reasonCode: failed ? cloud.code : 'SilentEverywhere',
    reason: failed ? `${silence}; ${cloud.text}.` : `${silence}; EC2 says running.`,
    wouldChange: [HEARD_CHANGES, 'EC2 saying that an operator stopped it ⇒ left'],
    recheckInMs: SOON_MS,
    act: true,
  };
}
