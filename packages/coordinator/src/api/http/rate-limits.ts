import {
  type BucketLimit,
  type Clock,
  fullBucket,
  msUntilTokens,
  takeTokens,
  type TokenBucket,
} from '@understudy/shared';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Caller } from './access/caller.ts';
import { Refusal } from './refusal.ts';

/** Callers remembered. The one that asked longest ago is forgotten first, and begins anew. */
const CALLERS_MAX = 5_000;
/** Refused tokens an address may show in a minute, which is far from enough for guessing. */
const WRONG_PER_MINUTE = 60;
/** Asked by machines that look after us, and answered from memory: never refused. */
const EXEMPT: ReadonlySet<string> = new Set(['/healthz', '/readyz']);

const perMinute = (count: number): BucketLimit => ({ burst: Math.max(1, count / 2), refillPerSecond: count / 60 });

/** Token buckets by caller. */
class Buckets {
  readonly #limit: BucketLimit;
  readonly #buckets = new Map<string, TokenBucket>();

  constructor(limit: BucketLimit) {
    this.#limit = limit;
  }

  /** 0: there was a token, and it is taken. Otherwise the time until there is one, in ms. */
  take(key: string, nowMs: number): number {
    const bucket = this.#buckets.get(key) ?? fullBucket(this.#limit, nowMs);
    const taken = takeTokens(bucket, this.#limit, nowMs);
    this.#buckets.delete(key);
    this.#buckets.set(key, taken ?? bucket);
    const [oldest] = this.#buckets.keys();
    if (this.#buckets.size > CALLERS_MAX && oldest !== undefined) this.#buckets.delete(oldest);
    return taken ? 0 : Math.max(1, msUntilTokens(bucket, this.#limit, nowMs));
  }
}

interface Counted {
  readonly key: string;
  readonly isWrong: boolean;
}

declare module 'fastify' {
  interface FastifyRequest {
    /**
     * Counts a token that was shown otherwise than in the header, and is wrong.
     * @throws Refusal RATE_LIMITED: there were too many from this address.
     */
    countWrongToken: () => void;
  }
}

/** The caller that a request counts against. Null: a coordinator passed it on, and counted it. */
function counted(request: FastifyRequest): Counted | null {
  let caller: Caller;
  try {
    caller = request.identified().caller;
  } catch {
    return { key: `address:${request.ip}`, isWrong: true };
  }
  if (caller.passedOnBy !== null) return null;
  return { key: caller.via === 'nothing' ? `address:${request.ip}` : caller.id, isWrong: false };
}

/**
 * Bounds how often a caller asks: by what it has shown, and by address where it has shown nothing.
 * Wrong tokens count by address, and only for those who show wrong ones: nobody is shut out by
 * another who guesses from the same address.
 */
export function addRateLimits(server: FastifyInstance, clock: Clock, requestsPerMinute: number): void {
  const asked = new Buckets(perMinute(requestsPerMinute));
  const wrong = new Buckets(perMinute(WRONG_PER_MINUTE));
  const count = ({ key, isWrong }: Counted): void => {
    const waitMs = (isWrong ? wrong : asked).take(key, clock.monotonicMs());
    if (waitMs === 0) return;
    const seconds = String(Math.ceil(waitMs / 1_000));
    const limit = isWrong ? `${WRONG_PER_MINUTE} refused tokens` : `${requestsPerMinute} requests`;
    throw new Refusal('RATE_LIMITED', `more than ${limit} a minute`, { 'retry-after': seconds });
  };
  server.decorateRequest('countWrongToken', function (this: FastifyRequest) {
    count({ key: `address:${this.ip}`, isWrong: true });
  });
  server.addHook('onRequest', async (request) => {
    if (EXEMPT.has(request.url)) return;
    const who = counted(request);
    if (who !== null) count(who);
  });
}
