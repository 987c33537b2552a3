import type { GroupPolicy, MonotonicMs } from '@understudy/shared';
import { cloudFreshForMs } from './cloud-evidence.ts';
import type { MemberEvidence, ObserverOpinion, Quorum } from './evidence.ts';

/** An observer's reason: heartbeats are silent, but a service probe is answered. */
export const PROBE_ANSWERED = 'ProbeAnswered';

/**
 * EC2 says that nothing runs there any more. `stopping` is not among them: while it stops, its
 * kernel may still answer.
 */
const OFF: ReadonlySet<string> = new Set(['stopped', 'terminated']);

const isAnswered = (opinion: ObserverOpinion): boolean =>
  opinion.verdict === 'suspect' && opinion.reason === PROBE_ANSWERED;

/**
 * A service probe is answered by the machine that has the address now. When EC2, freshly, says that
 * the instance is off, that is another machine (an address used again). The answer then says
 * nothing, and what remains of the opinion is a confirmed silence.
 */
export function withoutForeignAnswers(
  evidence: MemberEvidence,
  policy: GroupPolicy,
  nowMs: MonotonicMs,
): MemberEvidence {
  const { cloud } = evidence;
  if (!cloud?.instance || !OFF.has(cloud.instance.state) || nowMs - cloud.readAtMs > cloudFreshForMs(policy))
    return evidence;
  const opinions = evidence.opinions.map((opinion) =>
    isAnswered(opinion) ? { ...opinion, verdict: 'dead' as const, reason: 'AnsweredByAnother' } : opinion,
  );
  return { ...evidence, opinions };
}

/**
 * Observers whose probe is answered, when nothing else stands between this silence and `dead`;
 * otherwise none.
 */
export function onlyAnswersDelay(evidence: MemberEvidence, quorum: Quorum): readonly string[] {
  const others = quorum.voting.filter((observer) => !quorum.silent.includes(observer));
  const answered = evidence.opinions.filter((one) => isAnswered(one) && others.includes(one.observer));
  return answered.length === others.length ? others : [];
}
