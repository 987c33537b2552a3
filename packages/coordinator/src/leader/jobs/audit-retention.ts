import type { Clock, GuardedDelete, Keyspace, Log, Term } from '@understudy/shared';
import type { ClusterState } from '../../store/cluster-state.ts';
import type { LeaderJob } from './leader-job.ts';

/** Commands that are kept in the audit log; the newest. */
const AUDIT_KEPT = 2_000;
/** Answers are kept for a day, so that a script that asks again the next morning asks anew. */
const ANSWERS_KEPT_MS = 86_400_000;
/** Answers that are kept at most, the newest. */
const ANSWERS_MAX = 1_000;
/** Below what one transaction takes. */
const REMOVED_AT_ONCE = 100;

/** Keeps the audit log, and what commands were answered, bounded. */
export class AuditRetentionJob implements LeaderJob {
  readonly name = 'audit';
  readonly everyMs: number;
  readonly #options: { readonly view: ClusterState; readonly keys: Keyspace; readonly clock: Clock; readonly log: Log };

  constructor(options: {
    readonly everyMs: number;
    readonly view: ClusterState;
    readonly keys: Keyspace;
    readonly clock: Clock;
    readonly log: Log;
  }) {
    this.everyMs = options.everyMs;
    this.#options = options;
  }

  /** Nothing: it remembers nothing. */
  beginTerm(): void {}

  /** A removal that conflicts is left to the next pass. @throws LEASE_LOST, STORE_* */
  async run(term: Term): Promise<void> {
    const { view, log } = this.#options;
    if (!view.isFresh()) return;
    const [first, ...more] = [...this.#oldEntries(), ...this.#oldAnswers()].slice(0, REMOVED_AT_ONCE);
    if (!first) return;
    const outcome = await term.remove([first, ...more]);
    if (outcome.kind === 'committed') log.debug('audit.trimmed', { removed: more.length + 1 });
  }

  #oldEntries(): readonly GuardedDelete[] {
    const { view, keys } = this.#options;
    const { audit } = view.records;
    if (audit.size <= AUDIT_KEPT) return [];
    const oldest = [...audit.keys()].sort().slice(0, audit.size - AUDIT_KEPT);
    return oldest.map((id) => ({ key: keys.auditEntry(id), expect: audit.get(id)?.modRevision ?? 0 }));
  }

  #oldAnswers(): readonly GuardedDelete[] {
    const { view, keys, clock } = this.#options;
    const newestFirst = [...view.records.answers].sort(([, a], [, b]) => b.modRevision - a.modRevision);
    const nowWallMs = clock.wallMs();
    const old = newestFirst.filter(
      ([, { record }], index) => index >= ANSWERS_MAX || nowWallMs - record.atWallMs > ANSWERS_KEPT_MS,
    );
    return old.map(([id, { modRevision }]) => ({ key: keys.answer(id), expect: modRevision }));
  }
}
