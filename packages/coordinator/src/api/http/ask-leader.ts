import { type Clock, type ExplainView, ExplainViewSchema, type MemberId } from '@understudy/shared';

/**
 * Answered from the leader's memory; longer than this and our own answer is better. Below the CLI's
 * own limit of 3 s.
 */
const LEADER_TIMEOUT_MS = 1_500;
/**
 * Set on what a follower passes on: whoever receives it answers by itself, so that two followers
 * never ask each other in circles.
 */
export const FORWARDED_HEADER = 'understudy-forwarded';

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

export const explainPath = (member: MemberId): string => `/v1/members/${member}/explain`;

/**
 * The leader's own explanation; null when it does not answer in time, not with an explanation, or
 * leads no longer.
 */
export async function askLeader(
  clock: Clock,
  leaderUrl: string,
  member: MemberId,
  /** Of the operator who asks us; passed on, since every coordinator has the same. */
  operatorToken: string | null,
): Promise<ExplainView | null> {
  const limit = new AbortController();
  const timer = clock.setTimer(LEADER_TIMEOUT_MS, () => limit.abort());
  try {
    const reply = await fetch(new URL(explainPath(member), leaderUrl), {
      signal: limit.signal,
      headers: {
        accept: 'application/json',
        [FORWARDED_HEADER]: '1',
        ...(operatorToken === null ? {} : bearer(operatorToken)),
      },
      redirect: 'error',
    });
    if (!reply.ok) return null;
    const { success, data } = ExplainViewSchema.safeParse(await reply.json());
    return success && data.answeredBy.leader ? data : null;
  } catch {
    return null;
  } finally {
    timer.cancel();
  }
}
