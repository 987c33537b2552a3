import type { MemberId, OpinionVerdict } from '@understudy/shared';

/** One change of a verdict or opinion about a member, with the reason given at that moment. */
export interface VerdictChange {
  /** Wall clock of the process that changed its mind. For people only. */
  readonly atWallMs: number;
  /** The process that changed its mind: `c1 as leader`, `observer c1`. */
  readonly by: string;
  readonly instanceId: string;
  readonly verdict: OpinionVerdict;
  readonly reasonCode: string;
  readonly reason: string;
}

/** Changes kept per member. */
const CHANGES_MAX = 20;
/** Members kept. The one whose last change is oldest is forgotten first. */
const MEMBERS_MAX = 10_000;

/**
 * The last {@link CHANGES_MAX} changes of each member, in memory only: they end with the process.
 */
export class VerdictChanges {
  readonly #changes = new Map<MemberId, readonly VerdictChange[]>();

  /** Newest first. */
  of(member: MemberId): readonly VerdictChange[] {
    return this.#changes.get(member) ?? [];
  }

  /**
   * Notes the change unless instance, verdict and reason code are those of the last one by the same
   * process.
   */
  note(member: MemberId, change: VerdictChange): void {
    const before = this.of(member);
    const last = before.find((one) => one.by === change.by);
    if (last && sameMind(last, change)) return;
    this.#changes.delete(member);
    this.#changes.set(member, [change, ...before].slice(0, CHANGES_MAX));
    if (this.#changes.size <= MEMBERS_MAX) return;
    for (const oldest of this.#changes.keys()) {
      this.#changes.delete(oldest);
      break;
    }
  }
}

const sameMind = (a: VerdictChange, b: VerdictChange): boolean =>
  a.instanceId === b.instanceId && a.verdict === b.verdict && a.reasonCode === b.reasonCode;
