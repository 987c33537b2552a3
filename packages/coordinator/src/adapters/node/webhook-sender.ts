import { durationText, type Clock, errorText } from '@understudy/shared';
import type { Delivery } from '../../notices/sink.ts';
import type { PostNotice } from '../../notices/sinks/sink-kind.ts';
import { signedHeaders, type Webhook } from '../../notices/webhook.ts';

const USER_AGENT = 'understudy';
/** Their own time-out, "too early" and "too many": the receiver, and not this notice. */
const OF_RECEIVER = new Set([408, 425, 429]);

/**
 * What an answer with this status says. Redirects are not followed, because a body is signed for
 * one place.
 */
export function deliveryOf(status: number): Delivery {
  if (status >= 200 && status < 300) return { kind: 'taken' };
  const isOfNotice = status >= 400 && status < 500 && !OF_RECEIVER.has(status);
  return { kind: 'refused', text: `HTTP ${status}`, isOfNotice };
}

/**
 * Posts notices. Bounded in time by the webhook's own limit and by the signal; never rejects. What
 * the receiver says in its body is not read.
 */
export function webhookSender(options: {
  readonly clock: Clock;
  /** By the webhook's name. */
  readonly secretOf: (name: string) => Uint8Array;
}): PostNotice {
  const { clock, secretOf } = options;
  return async (webhook: Webhook, { id, body }, signal): Promise<Delivery> => {
    const limit = new AbortController();
    const timer = clock.setTimer(webhook.timeoutMs, () =>
      limit.abort(new Error(`no answer within ${durationText(webhook.timeoutMs)}`)),
    );
    const headers = signedHeaders(secretOf(webhook.name), { id, body, nowWallMs: clock.wallMs() });
    try {
      const answer = await fetch(webhook.url, {
        ...{ method: 'POST', body, redirect: 'manual' },
        headers: { ...headers, 'user-agent': USER_AGENT },
        signal: AbortSignal.any([limit.signal, signal]),
      });
      await answer.body?.cancel();
      return deliveryOf(answer.status);
    } catch (error) {
      const reason: unknown = limit.signal.aborted ? limit.signal.reason : error;
      const cause = reason instanceof Error && reason.cause !== undefined ? `: ${errorText(reason.cause)}` : '';
      return { kind: 'refused', text: `${errorText(reason)}${cause}`, isOfNotice: false };
    } finally {
      timer.cancel();
    }
  };
}
