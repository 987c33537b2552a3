import {
  type Clock,
  type GroupPolicy,
  GroupPolicySchema,
  faultText,
  type Keyspace,
  type KvCompare,
  type KvEntry,
  type KvStore,
  LeaderRecordSchema,
  type Log,
  type MemberId,
  type MonotonicMs,
  parseRecord,
  type Random,
  type Revision,
  type StatusView,
  type WallMs,
} from '@understudy/shared';
import type { KnownLeader } from './leadership-view.ts';
import { ClusterRecords, type UnreadableRecord } from './cluster-records.ts';
import { type ActivePause, isInForce, pauseHolds, scopesOf } from '../policy/pauses.ts';
import { drainedAt } from '../policy/drains.ts';
import { policyFaults, type PolicyLimits } from '../policy/policy-limits.ts';
import { apartFrom, type Build, levelDue, levelInForce, type LevelsSeen, THIS_BUILD } from './feature-level.ts';
import { type RecordedLevel, recordedLevelIn } from './level-gate.ts';
import { type StoreObserver, WatchCache } from './watch-cache.ts';

export interface ClusterStateOptions {
  readonly store: KvStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly keys: Keyspace;
  /** Used for groups without a record of their own. */
  readonly defaultPolicy: GroupPolicy;
  /** Limits that every policy has to fit into, wherever it comes from. */
  readonly policyLimits: PolicyLimits;
  /** A view older than this is not fresh. */
  readonly freshForMs: number;
  /** Default: this build. */
  readonly build?: Build;
}

/**
 * Everything we keep in etcd, parsed, as of {@link revision}. One mirror holds the whole root, so
 * that the writes of one transaction are seen at once. A record that does not parse never stops the
 * view: it is reported, and the members it concerns are held.
 */
export class ClusterState {
  readonly records: ClusterRecords;
  readonly #view: WatchCache;
  readonly #options: ClusterStateOptions;
  /** The leader as last read, so that each entry is parsed once. */
  #leader: { readonly entry: KvEntry | null; readonly leader: KnownLeader | null } | null = null;
  /** Unreadable records by the member they concern. Null: to be made again, because one changed. */
  #blocked: ReadonlyMap<MemberId, UnreadableRecord> | null = null;
  /** The agreed level is not one of ours. */
  #isApart = false;

  constructor(options: ClusterStateOptions) {
    this.#options = options;
    this.records = new ClusterRecords(options.keys.root, (policy) => {
      const faults = policyFaults(policy, options.policyLimits);
      return faults.length === 0 ? null : faults.map(({ text }) => text).join('; ');
    });
    // A member that is told `active` relies on our having seen every intent.
    this.#view = new WatchCache({ ...options, prefix: options.keys.root, witnessPrefix: options.keys.intents });
    this.#view.onChange((changed) => this.#apply(changed));
  }

  /** Begins in the background; etcd may be down. Idempotent. */
  start(): void {
    this.#view.start();
  }

  close(): void {
    this.#view.close();
  }

  /** Called after the tables changed, with the keys that did. Returns the unsubscribe function. */
  onChange(listener: (changedKeys: readonly string[]) => void): () => void {
    return this.#view.onChange(listener);
  }

  /** Tells every write, in etcd's order. There is at most one observer. */
  observeWith(observer: StoreObserver): void {
    this.#view.observeWith(observer);
  }

  get isReady(): boolean {
    return this.#view.isReady;
  }

  /** Everything up to this store revision is in the tables; 0 before the first list. */
  get revision(): Revision {
    return this.#view.revision;
  }

  /** Times the view found itself different from etcd; should stay 0. */
  get anomalies(): number {
    return this.#view.anomalies;
  }

  /**
   * How long ago the tables were proven complete, by a linearizable read that they have caught up
   * with. Null: never.
   */
  contactAgeMs(): number | null {
    const ageMs = this.#view.ageMs();
    return Number.isFinite(ageMs) ? ageMs : null;
  }

  /**
   * Our monotonic time of the newest such proof: the tables hold what had been committed by then.
   * Null: never.
   */
  provenAtMs(): MonotonicMs | null {
    return this.#view.freshAtMs;
  }

  isFresh(): boolean {
    return this.#view.ageMs() < this.#options.freshForMs;
  }

  /**
   * The holder of the leader key, as of the newest proof; ask {@link isFresh} as well. Null when
   * the entry cannot be read.
   */
  leader(): KnownLeader | null {
    const key = this.#options.keys.leader;
    const entry = this.#view.get(key) ?? null;
    if (this.#leader?.entry !== entry) this.#leader = { entry, leader: entry && leaderOf(key, entry) };
    return this.#leader.leader;
  }

  /**
   * The policy in force: the group's own, else its last good one where its own is refused, else the
   * default. A group whose own policy is refused and that has no good one is blocked: its members
   * are watched by the default, and nothing is done.
   */
  policyOf(group: string): GroupPolicy {
    const { groups, policies, unreadable } = this.records;
    const own = groups.get(group)?.record.policy;
    if (own) return own;
    const isRefused = unreadable.has(this.#options.keys.group(group));
    return (isRefused ? policies.get(group)?.record.policy : undefined) ?? this.#options.defaultPolicy;
  }

  /**
   * Revision of a key as we have seen it, whether its record can be read or not. 0: the key is
   * absent.
   */
  revisionOf(key: string): Revision {
    return this.#view.get(key)?.modRevision ?? 0;
  }

  /** The value of a key as it lies there, as we have seen it. Null: the key is absent. */
  valueOf(key: string): string | null {
    return this.#view.get(key)?.value ?? null;
  }

  /**
   * Why a policy would be refused here: its schema, and what it has to fit into. Empty: it would
   * not.
   */
  faultsOf(policy: unknown): readonly string[] {
    const parsed = GroupPolicySchema.safeParse(policy);
    if (parsed.success) return policyFaults(parsed.data, this.#options.policyLimits).map(({ text }) => text);
    return parsed.error.issues.map(
      (issue) => `${issue.path.join('.') || 'policy'}: ${faultText(GroupPolicySchema, issue)}`,
    );
  }

  /** Coordinators that are drained at this wall time. */
  drained(nowWallMs: WallMs): ReadonlySet<string> {
    return drainedAt(this.records, nowWallMs);
  }

  /**
   * Every pause in force at this wall time. A pause that cannot be read is in force for what its
   * key names, or for everything, until a person corrects it.
   */
  pausesInForce(nowWallMs: WallMs): readonly ActivePause[] {
    const { pauses, unreadable, root } = this.records;
    const read = [...pauses.values()].map(({ record }) => record).filter((one) => isInForce(one, nowWallMs));
    const unread = [...unreadable.values()].filter(({ key }) => key.startsWith(`${root}pauses/`)).map(asPause);
    return [...read, ...unread];
  }

  /** The pauses that hold a member at this wall time, widest scope first. */
  pausesOf(member: MemberId, nowWallMs: WallMs): readonly ActivePause[] {
    const scopes = scopesOf(member);
    return this.pausesInForce(nowWallMs)
      .filter((pause) => pauseHolds(pause, member, nowWallMs))
      .sort((a, b) => scopes.indexOf(a.scope) - scopes.indexOf(b.scope));
  }

  /**
   * True when a record of this member that says which instance may serve is unreadable. Other
   * unreadable records (a pause, a policy, a hold) keep us from acting, but must not keep an agent
   * from being told what is certain: with a serve lease its silence would end a healthy workload.
   * Nobody can be answered while a level is agreed on that we do not understand: what we read may
   * mean something else.
   */
  cannotAnswer(member: MemberId): boolean {
    if (this.#isApart) return true;
    const { unreadable } = this.records;
    if (unreadable.size === 0) return false;
    for (const one of unreadable.values()) if (one.member === member && one.bearsOnActivation) return true;
    return false;
  }

  /** The feature level that was agreed on, as it lies in etcd. */
  recordedLevel(): RecordedLevel {
    return recordedLevelIn(this.#view.get(this.#options.keys.level) ?? null);
  }

  levelInForce(): number {
    return levelInForce(this.#levelsSeen(), this.#build);
  }

  /** For people. */
  featureLevels(): StatusView['featureLevels'] {
    const { recorded } = this.recordedLevel();
    const agreed = typeof recorded === 'number' ? recorded : null;
    return { understood: this.#build.level, agreed, inForce: this.levelInForce() };
  }

  levelDue(): number | null {
    return levelDue(this.#levelsSeen(), this.#build);
  }

  /**
   * **S** (S24): the compare for a transaction that writes something of this level. Null: the level
   * is not in force, so nothing of it may be written. Once a level is in force, no coordinator
   * begins to take part that does not understand it, as long as its record is the one compared.
   */
  whileInForce(level: number): Extract<KvCompare, { modRevision: Revision }> | null {
    if (this.levelInForce() < level) return null;
    return { key: this.#options.keys.level, modRevision: this.recordedLevel().modRevision };
  }

  /** Ids of coordinators that are present, and whose presence cannot be read. */
  strangers(): readonly string[] {
    const { coordinators } = this.#options.keys;
    const keys = [...this.records.unreadable.keys()].filter((key) => key.startsWith(coordinators));
    return keys.map((key) => key.slice(coordinators.length));
  }

  get #build(): Build {
    return this.#options.build ?? THIS_BUILD;
  }

  #levelsSeen(): LevelsSeen {
    const understood = [...this.records.coordinators.values()].map(({ record }) => record.featureLevel);
    const { recorded } = this.recordedLevel();
    return { recorded, live: [...understood, ...this.strangers().map(() => null)] };
  }

  isBlocked(member: MemberId): boolean {
    return this.#blockedMap().has(member);
  }

  /** Members an unreadable record concerns. */
  blockedMembers(): ReadonlySet<MemberId> {
    return new Set(this.#blockedMap().keys());
  }

  unreadableOf(member: MemberId): UnreadableRecord | null {
    return this.#blockedMap().get(member) ?? null;
  }

  #apply(changed: readonly string[]): void {
    const { records } = this;
    this.#blocked = null;
    if (changed.includes(this.#options.keys.level))
      this.#isApart = apartFrom(this.recordedLevel().recorded, this.#build) !== null;
    for (const key of changed) {
      const entry = this.#view.get(key);
      if (!entry) {
        records.delete(key);
        continue;
      }
      const before = records.unreadable.get(key)?.text;
      records.put(entry);
      const now = records.unreadable.get(key);
      if (now && now.text !== before)
        this.#options.log.error('record.unreadable', { key, error: now.text, blocks: now.blocks });
    }
  }

  #blockedMap(): ReadonlyMap<MemberId, UnreadableRecord> {
    this.#blocked ??= this.#concerned();
    return this.#blocked;
  }

  #concerned(): ReadonlyMap<MemberId, UnreadableRecord> {
    const { unreadable, members, activations, intents } = this.records;
    const blocked = new Map<MemberId, UnreadableRecord>();
    if (unreadable.size === 0) return blocked;
    const known = new Set<MemberId>([...members.keys(), ...activations.keys(), ...intents.keys()]);
    const add = (member: MemberId, record: UnreadableRecord) => blocked.has(member) || blocked.set(member, record);
    for (const record of unreadable.values()) {
      if (!record.blocks || this.#hasLastGood(record)) continue;
      if (record.member !== null) add(record.member, record);
      else for (const member of known) if (this.#concerns(record, member)) add(member, record);
    }
    return blocked;
  }

  /** True when the record is a policy whose group goes on with its last good one. */
  #hasLastGood({ key, group }: UnreadableRecord): boolean {
    return group !== null && key === this.#options.keys.group(group) && this.records.policies.has(group);
  }

  #concerns(record: UnreadableRecord, member: MemberId): boolean {
    if (record.opId !== null) return this.records.intents.get(member)?.record.opId === record.opId;
    return record.group === null || member.startsWith(`${record.group}/`);
  }
}

const asPause = ({ member, group, text }: UnreadableRecord): ActivePause => ({
  scope: member !== null ? `member/${member}` : group !== null ? `group/${group}` : 'global',
  who: 'a record that cannot be read',
  why: text,
  untilWallMs: null,
});

function leaderOf(key: string, entry: KvEntry): KnownLeader | null {
  try {
    const { coordinatorId, httpUrl } = parseRecord(LeaderRecordSchema, key, entry.value);
    return { coordinatorId, term: entry.createRevision, httpUrl };
  } catch {
    // Leadership logs the unreadable entry.
    return null;
  }
}
