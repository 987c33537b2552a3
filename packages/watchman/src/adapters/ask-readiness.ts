import { type Clock, durationText, errorText, rawOf } from '@understudy/shared';
import type { Look } from '../core/decide.ts';

export type AskReadiness = (coordinator: string) => Promise<Look>;

/** The body of an answer is a few hundred bytes; what is longer is not ours. */
const BODY_MAX = 100_000;

async function isReadyIn(answer: Response): Promise<boolean> {
  const text = await answer.text();
  if (answer.status !== 200 || text.length > BODY_MAX) return false;
  try {
    return rawOf(JSON.parse(text)).ready === true;
  } catch {
    return false;
  }
}

/**
 * Asks one coordinator whether it does its work (`/readyz`, open to anybody). Never rejects;
 * bounded in time. A page of a proxy with status 200 is no such answer.
 */
export const askReadiness =
  (clock: Clock, timeoutMs: number): AskReadiness =>
  async (coordinator) => {
    const limit = new AbortController();
    const timer = clock.setTimer(timeoutMs, () =>
      limit.abort(new Error(`no answer within ${durationText(timeoutMs)}`)),
    );
    try {
      const answer = await fetch(new URL('/readyz', coordinator), { redirect: 'manual', signal: limit.signal });
      const isReady = await isReadyIn(answer);
      return { coordinator, isReady, text: isReady ? 'ready' : `HTTP ${answer.status}` };
    } catch (error) {
      const reason: unknown = limit.signal.aborted ? limit.signal.reason : error;
      const cause = reason instanceof Error && reason.cause !== undefined ? `: ${errorText(reason.cause)}` : '';
      return { coordinator, isReady: false, text: `${errorText(reason)}${cause}` };
    } finally {
      timer.cancel();
    }
  };
