import type { MemberId, MonotonicMs } from '@understudy/shared';
import type { MemberEvidence } from '../judge/evidence.ts';

/**
 * An opinion that is written again (another lease) is dated again, to the rounding of two clocks; a
 * service that passed in between is dated later by a second at least. ms
 */
const SAME_WITHIN_MS = 500;

interface Spell {
  readonly instanceId: string;
  readonly sinceMs: MonotonicMs;
  /**
   * Observer → since when, by its own clock, it finds the service failing. Compared with itself
   * only.
   */
  readonly said: ReadonlyMap<string, number>;
}

/**
 * Since when this leader has seen each member's services unreachable for all, on its own monotonic
 * clock: wall clocks of observers may be anything. A new leader begins anew, which only delays. At
 * most one entry per judged member.
 */
export class UnreachableSince {
  readonly #spells = new Map<MemberId, Spell>();

  /**
   * null: not unreachable when last looked, or another instance, or an observer has seen the
   * service pass in between (while we were paused, say).
   */
  of(evidence: MemberEvidence): MonotonicMs | null {
    const spell = this.#spells.get(evidence.member);
    if (spell?.instanceId !== evidence.instanceId) return null;
    const broken = [...failingSince(evidence)].some(
      ([observer, since]) => Math.abs((spell.said.get(observer) ?? since) - since) > SAME_WITHIN_MS,
    );
    return broken ? null : spell.sinceMs;
  }

  note(evidence: MemberEvidence, unreachable: boolean, nowMs: MonotonicMs): void {
    const { member, instanceId } = evidence;
    if (!unreachable) this.#spells.delete(member);
    else {
      const sinceMs = this.of(evidence) ?? nowMs;
      this.#spells.set(member, { instanceId, sinceMs, said: failingSince(evidence) });
    }
  }

  forget(member: MemberId): void {
    this.#spells.delete(member);
  }

  /** What was seen under an earlier term may have changed unseen. */
  forgetAll(): void {
    this.#spells.clear();
  }
}

const failingSince = ({ opinions }: MemberEvidence): ReadonlyMap<string, number> =>
  new Map(
    opinions.flatMap(({ observer, service }) =>
      service?.state === 'failing' ? [[observer, service.sinceWallMs]] : [],
    ),
  );
