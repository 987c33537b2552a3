import type {
  Clock,
  CommitOutcome,
  GuardedDelete,
  GuardedPut,
  JudgementRecord,
  Keyspace,
  Log,
  MemberId,
  Revision,
  Term,
  Unwritten,
  WallMs,
} from '@understudy/shared';
import type { ClusterState } from '../store/cluster-state.ts';
import type { ClusterRecords, Stored } from '../store/cluster-records.ts';
import type { Judgement } from './assessor.ts';

/**
 * Judgements of one transaction; etcd takes 128 operations, the guard and the judge's record are
 * among them.
 */
const PER_COMMIT = 100;
/**
 * The same verdict in other words (another observer hears it too) is written again no more often
 * than this.
 */
const REWORD_EVERY_MS = 30_000;

type Told = Pick<Judgement, 'member' | 'instanceId' | 'assessment'>;

/** Durations in a sentence grow by themselves: that is no change. */
const withoutDurations = (text: string): string => text.replaceAll(/(?:\d[\d.]* ?(?:ms|s|min|h|d)\b ?)+/g, '#');

function isTold({ instanceId, assessment }: Told, stored: Stored<JudgementRecord>, nowWallMs: WallMs): boolean {
  const { record } = stored;
  const { verdict, reasonCode, degraded, reason } = assessment;
  const isSame =
    record.instanceId === instanceId &&
    record.verdict === verdict &&
    record.reasonCode === reasonCode &&
    record.degraded === degraded;
  if (!isSame || record.reason === reason) return isSame;
  if (withoutDurations(record.reason) === withoutDurations(reason)) return true;
  return Math.abs(nowWallMs - record.writtenAtWallMs) < REWORD_EVERY_MS;
}

export interface JudgementChanges {
  readonly puts: readonly { readonly record: Omit<Unwritten<JudgementRecord>, 'term'>; readonly expect: Revision }[];
  /** Records of members that nobody plays any more. */
  readonly gone: readonly { readonly member: MemberId; readonly expect: Revision }[];
}

/**
 * What to write so that the published judgements are `judgements`, on change only. What is not
 * judged now (a recovery is open) keeps its last word. Pure.
 */
export function planJudgements(options: {
  readonly judgements: Iterable<Told>;
  readonly records: Pick<ClusterRecords, 'judgements' | 'activations' | 'unreadable'>;
  readonly keyOf: (member: MemberId) => string;
  readonly nowWallMs: WallMs;
}): JudgementChanges {
  const { judgements, records, nowWallMs } = options;
  const puts: JudgementChanges['puts'][number][] = [];
  for (const told of judgements) {
    const { member, instanceId, assessment } = told;
    const stored = records.judgements.get(member);
    if (records.unreadable.has(options.keyOf(member)) || (stored && isTold(told, stored, nowWallMs))) continue;
    const { verdict, reasonCode, reason, degraded } = assessment;
    const isSameVerdict = stored?.record.instanceId === instanceId && stored.record.verdict === verdict;
    const sinceWallMs = isSameVerdict ? stored.record.sinceWallMs : nowWallMs;
    const record = { member, instanceId, verdict, reasonCode, reason, degraded, sinceWallMs };
    puts.push({ record, expect: stored?.modRevision ?? 0 });
  }
  const gone = [...records.judgements]
    .filter(([member]) => !records.activations.has(member))
    .map(([member, { modRevision }]) => ({ member, expect: modRevision }));
  return { puts, gone };
}

/**
 * Publishes what the leader judges, so that followers can say it too: on change only (a fleet that
 * is fine costs no write), in batches, one transaction under way at a time. A thousand members that
 * fail at once are ten transactions. Guarded by the term: a leader that was paused for an hour
 * publishes nothing.
 */
export class JudgementPublisher {
  readonly #keys: Keyspace;
  readonly #view: ClusterState;
  readonly #clock: Clock;
  readonly #log: Log;
  #writing = false;
  /** Nothing is planned on a view older than our own last write. */
  #writtenAt: Revision = 0;

  constructor(options: {
    readonly keys: Keyspace;
    readonly view: ClusterState;
    readonly clock: Clock;
    readonly log: Log;
  }) {
    this.#keys = options.keys;
    this.#view = options.view;
    this.#clock = options.clock;
    this.#log = options.log;
  }

  /**
   * What is due of `judgements` (all of this term), at most one transaction. `isEveryoneJudged`:
   * nobody waits for a first judgement of this term.
   * @throws LEASE_LOST or a store error; what was not written stays due.
   */
  async publish(term: Term, judgements: Iterable<Told>, isEveryoneJudged: () => boolean): Promise<void> {
    if (this.#writing || this.#view.revision < this.#writtenAt) return;
    const { puts, deletes } = this.#due(term, judgements, isEveryoneJudged);
    const sending = send(term, puts, deletes);
    if (!sending) return;
    this.#writing = true;
    try {
      const outcome = await sending;
      if (outcome.kind === 'committed') this.#writtenAt = outcome.revision;
      else this.#log.debug('judgements.conflict', { count: puts.length, term: term.number });
    } finally {
      this.#writing = false;
    }
  }

  #due(term: Term, judgements: Iterable<Told>, isEveryoneJudged: () => boolean): Due {
    const { records } = this.#view;
    const keyOf = (member: MemberId) => this.#keys.judgement(member);
    const { puts, gone } = planJudgements({ judgements, records, keyOf, nowWallMs: this.#clock.wallMs() });
    const due: GuardedPut[] = puts.slice(0, PER_COMMIT).map(({ record, expect }) => ({
      key: keyOf(record.member),
      record: { ...record, term: term.number },
      expect,
    }));
    const deletes = gone
      .slice(0, PER_COMMIT - due.length)
      .map(({ member, expect }) => ({ key: keyOf(member), expect }));
    if (records.unreadable.has(this.#keys.judge)) return { puts: due, deletes };
    const judge = records.judge.get('current');
    const record = { coordinatorId: term.coordinatorId, term: term.number };
    const isNamed = judge?.record.term === term.number;
    const isLate = !isNamed && puts.length <= PER_COMMIT && isEveryoneJudged();
    if (isLate) due.push({ key: this.#keys.judge, record, expect: judge?.modRevision ?? 0 });
    return { puts: due, deletes };
  }
}

interface Due {
  readonly puts: readonly GuardedPut[];
  readonly deletes: readonly GuardedDelete[];
}

/** null: nothing is due. */
function send(
  term: Term,
  [put, ...puts]: readonly GuardedPut[],
  [gone, ...others]: readonly GuardedDelete[],
): Promise<CommitOutcome> | null {
  const deletes = gone ? [gone, ...others] : [];
  if (put) return term.commit({ puts: [put, ...puts], deletes });
  return gone ? term.remove([gone, ...others]) : null;
}
