import type { MemberId } from '@understudy/shared';

/**
 * Why a datagram that claims to be a member was dropped: under a key id we do not have, or with a
 * tag that its key does not give.
 */
export type RefusalKind = 'unknown-key' | 'forged';

/**
 * Datagrams that name a member and are not authentic. Anybody can send those: a hint for people,
 * never evidence.
 */
export interface RefusedClaim {
  readonly member: MemberId;
  readonly kind: RefusalKind;
  /** Since {@link RefusedClaim.sinceMs}. */
  readonly count: number;
  readonly sinceMs: number;
  readonly lastMs: number;
  /** Where the last one came from. */
  readonly from: string;
}

/**
 * Members counted at a time, whoever floods us; each is one of the roster, so a stranger cannot
 * invent any.
 */
const CLAIMS_MAX = 64;
/** A claim that was not repeated for this long is over. */
const FORGET_AFTER_MS = 60_000;

/**
 * Counts what was dropped, by the member it claimed to be. Bounded; nothing of it is ever answered.
 */
export class RefusedClaims {
  readonly #claims = new Map<MemberId, { -readonly [K in keyof RefusedClaim]: RefusedClaim[K] }>();

  note(member: MemberId, kind: RefusalKind, from: string, nowMs: number): void {
    const known = this.#claims.get(member);
    if (known && known.kind === kind && nowMs - known.lastMs <= FORGET_AFTER_MS) {
      known.count++;
      known.lastMs = nowMs;
      known.from = from;
      return;
    }
    if (!known && this.#claims.size >= CLAIMS_MAX) this.#makeRoom(nowMs);
    if (!known && this.#claims.size >= CLAIMS_MAX) return;
    this.#claims.set(member, { member, kind, count: 1, sinceMs: nowMs, lastMs: nowMs, from });
  }

  /** null: nothing within the last minute. */
  of(member: MemberId, nowMs: number): RefusedClaim | null {
    const claim = this.#claims.get(member);
    return claim && nowMs - claim.lastMs <= FORGET_AFTER_MS ? { ...claim } : null;
  }

  #makeRoom(nowMs: number): void {
    for (const [member, { lastMs }] of this.#claims) if (nowMs - lastMs > FORGET_AFTER_MS) this.#claims.delete(member);
  }
}
