import { type Clock, type ExplainView, ExplainViewSchema, type MemberId } from '@understudy/shared';

/**
 * The leader answers from memory. When it takes longer than this, our own answer is better. Below
 * the CLI's own limit of 3 s.
 */
const LEADER_TIMEOUT_MS = 1_500;
/**
 * Set on what a follower passes on. A coordinator that receives it answers by itself, so that two
 * followers never ask each other in circles.
 */
export const FORWARDED_HEADER = 'understudy-forwarded';

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

export const explainPath = (member: MemberId): string => `/v1/members/${member}/explain`;

/**
 * The leader's own explanation. Null when it does not answer in time, answers something else, or
 * leads no longer.
 */
export async function askLeader(
  clock: Clock,
  leaderUrl: string,
  member: MemberId,
  /**
   * The token of the operator who asks us. It is passed on, since every coordinator has the same.
   */
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
