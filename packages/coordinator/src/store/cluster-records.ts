import {
  type ActivationRecord,
  ActivationRecordSchema,
  type AnswerRecord,
  AnswerRecordSchema,
  type AuditRecord,
  AuditRecordSchema,
  type CoordinatorRecord,
  CoordinatorRecordSchema,
  type DeedsRecord,
  DeedsRecordSchema,
  type DrainRecord,
  DrainRecordSchema,
  errorText,
  type GroupPolicy,
  type FeatureLevelRecord,
  FeatureLevelRecordSchema,
  type FindingsRecord,
  FindingsRecordSchema,
  type GroupRecord,
  GroupRecordSchema,
  type HistoryRecord,
  HistoryRecordSchema,
  type HoldRecord,
  HoldRecordSchema,
  type IntentRecord,
  IntentRecordSchema,
  hasCode,
  isName,
  type JournalRecord,
  JournalRecordSchema,
  type JudgementRecord,
  JudgementRecordSchema,
  type JudgeRecord,
  JudgeRecordSchema,
  type KeyEnrolmentRecord,
  KeyEnrolmentRecordSchema,
  type KvEntry,
  type MemberId,
  type MemberRecord,
  MemberRecordSchema,
  type NoticeRecord,
  NoticeRecordSchema,
  OperationError,
  type OpinionRecord,
  OpinionRecordSchema,
  type OperatorRequestRecord,
  OperatorRequestRecordSchema,
  type PauseRecord,
  PauseRecordSchema,
  type PolicyRecord,
  PolicyRecordSchema,
  type PreparationRecord,
  PreparationRecordSchema,
  type PreparedRecord,
  PreparedRecordSchema,
  parseRecord,
  type Revision,
  type UndeliveredRecord,
  UndeliveredRecordSchema,
} from '@understudy/shared';
import type * as z from 'zod';

export interface Stored<T> {
  readonly record: T;
  readonly modRevision: Revision;
}

/** A record in etcd that does not fit its schema, or lies under a key it does not belong to. */
export interface UnreadableRecord {
  readonly key: string;
  readonly modRevision: Revision;
  /** The member it concerns. It concerns everybody when group and member are null. */
  readonly member: MemberId | null;
  readonly group: string | null;
  readonly opId: string | null;
  /**
   * True when the members it concerns must be left alone. False for a coordinator's presence or a
   * published judgement, because no decision rests on them.
   */
  readonly blocks: boolean;
  /**
   * True when the record says, or might say, which instance may serve. Without it no agent can be
   * told.
   */
  readonly bearsOnActivation: boolean;
  readonly code: 'RECORD_UNREADABLE' | 'POLICY_REFUSED';
  readonly text: string;
}

/** What a key says: the table its record belongs to, and the member it concerns. */
interface Place {
  readonly area: Area;
  readonly parts: readonly string[];
}

const AREAS = [
  'coordinators',
  'opinions',
  'judgements',
  'judge',
  'findings',
  'level',
  'groups',
  'policies',
  'members',
  'activations',
  'intents',
  'preparations',
  'prepared',
  'journal',
  'holds',
  'requests',
  'pauses',
  'history',
  'audit',
  'answers',
  'drains',
  'outbox',
  'undelivered',
  'enrolments',
  'deeds',
] as const;
type Area = (typeof AREAS)[number];

/** Areas on which no decision rests. A member is not left alone for an unreadable record there. */
const DECIDE_NOTHING: ReadonlySet<Area> = new Set([
  ...(['coordinators', 'judgements', 'judge', 'findings', 'level'] as const),
  ...(['audit', 'answers', 'drains', 'outbox', 'undelivered', 'preparations', 'prepared'] as const),
  ...(['enrolments', 'deeds'] as const),
]);

/** Areas with one part behind them, whose records are told apart by it. */
const ONE_PART = new Set([
  ...([
    'coordinators',
    'groups',
    'policies',
    'judge',
    'findings',
    'level',
    'audit',
    'answers',
    'drains',
    'outbox',
    'preparations',
    'prepared',
  ] as const),
]) satisfies ReadonlySet<Area>;
type OnePart = typeof ONE_PART extends Set<infer T> ? T : never;
const hasOnePart = (area: Area): area is OnePart => (ONE_PART as ReadonlySet<Area>).has(area);

const isArea = (text: string): text is Area => (AREAS as readonly string[]).includes(text);

/** A table of tables: `outer → inner → record`. An inner table that becomes empty is dropped. */
class Nested<K extends string, T> {
  readonly tables = new Map<K, Map<string, Stored<T>>>();

  set(outer: K, inner: string, stored: Stored<T>): void {
    const table = this.tables.get(outer) ?? new Map<string, Stored<T>>();
    table.set(inner, stored);
    this.tables.set(outer, table);
  }

  delete(outer: K, inner: string): void {
    const table = this.tables.get(outer);
    table?.delete(inner);
    if (table?.size === 0) this.tables.delete(outer);
  }
}

/**
 * Our records under one root, parsed, as a plain table per area. They are fed by puts and deletes
 * in revision order. It never throws on what it is fed. A record that cannot be read is kept in
 * {@link unreadable}, and the tables no longer show the key's earlier value, because acting on a
 * value that is gone would be worse than acting on none. It holds no more than lies in etcd.
 */
export class ClusterRecords {
  readonly coordinators = new Map<string, Stored<CoordinatorRecord>>();
  readonly groups = new Map<string, Stored<GroupRecord>>();
  /** The policies of groups with a record of their own. */
  readonly policies = new Map<string, Stored<PolicyRecord>>();
  readonly members = new Map<MemberId, Stored<MemberRecord>>();
  readonly activations = new Map<MemberId, Stored<ActivationRecord>>();
  readonly intents = new Map<MemberId, Stored<IntentRecord>>();
  /** By opId. */
  readonly preparations = new Map<string, Stored<PreparationRecord>>();
  /** By group. */
  readonly prepared = new Map<string, Stored<PreparedRecord>>();
  readonly holds = new Map<MemberId, Stored<HoldRecord>>();
  readonly judgements = new Map<MemberId, Stored<JudgementRecord>>();
  /** Has at most one entry, `current`. */
  readonly judge = new Map<string, Stored<JudgeRecord>>();
  /** Has at most one entry, `current`. */
  readonly findings = new Map<string, Stored<FindingsRecord>>();
  /** Has at most one entry, `current`. */
  readonly level = new Map<string, Stored<FeatureLevelRecord>>();
  /** Requests of operators about recoveries that are not carried out yet. */
  readonly requests = new Map<MemberId, Stored<OperatorRequestRecord>>();
  readonly pauses = new Map<string, Stored<PauseRecord>>();
  /** Commands that were taken, by audit id. */
  readonly audit = new Map<string, Stored<AuditRecord>>();
  readonly answers = new Map<string, Stored<AnswerRecord>>();
  readonly drains = new Map<string, Stored<DrainRecord>>();
  /** Notices by id; those that a webhook did not take by `<webhook>/<id>`. */
  readonly outbox = new Map<string, Stored<NoticeRecord>>();
  readonly undelivered = new Map<string, Stored<UndeliveredRecord>>();
  /** Which instance of a member was given its key by identity. */
  readonly enrolments = new Map<MemberId, Stored<KeyEnrolmentRecord>>();
  /** Deeds that wait for a history. */
  readonly deeds = new Map<MemberId, Stored<DeedsRecord>>();
  readonly unreadable = new Map<string, UnreadableRecord>();
  readonly #opinions = new Nested<MemberId, OpinionRecord>();
  readonly #journals = new Nested<string, JournalRecord>();
  readonly #history = new Nested<MemberId, HistoryRecord>();
  readonly root: string;

  readonly #policyFault: (policy: GroupPolicy) => string | null;

  /**
   * `policyFault` says why a policy is refused although its record can be read. Null: it is not
   * refused.
   */
  constructor(root: string, policyFault: (policy: GroupPolicy) => string | null = () => null) {
    this.root = root;
    this.#policyFault = policyFault;
  }

  /** Member → observer → opinion. */
  get opinions(): ReadonlyMap<MemberId, ReadonlyMap<string, Stored<OpinionRecord>>> {
    return this.#opinions.tables;
  }

  /** opId → step → record. */
  get journals(): ReadonlyMap<string, ReadonlyMap<string, Stored<JournalRecord>>> {
    return this.#journals.tables;
  }

  /** Member → opId → how that recovery ended. */
  get history(): ReadonlyMap<MemberId, ReadonlyMap<string, Stored<HistoryRecord>>> {
    return this.#history.tables;
  }

  clear(): void {
    for (const table of [this.coordinators, this.groups, this.policies, this.members, this.activations, this.intents])
      table.clear();
    for (const table of [this.holds, this.requests, this.pauses, this.unreadable]) table.clear();
    for (const table of [this.judgements, this.judge, this.findings, this.level]) table.clear();
    for (const table of [this.audit, this.answers, this.drains, this.enrolments, this.deeds]) table.clear();
    for (const table of [this.outbox, this.undelivered, this.preparations, this.prepared]) table.clear();
    for (const nested of [this.#opinions, this.#journals, this.#history]) nested.tables.clear();
  }

  put(entry: KvEntry): void {
    const place = this.#placeOf(entry.key);
    if (place === null) return;
    this.#forget(place);
    try {
      this.#store(place, entry);
      this.unreadable.delete(entry.key);
    } catch (error) {
      this.unreadable.set(entry.key, unreadableOf(entry, place, error));
    }
  }

  delete(key: string): void {
    const place = this.#placeOf(key);
    if (place === null) return;
    this.#forget(place);
    this.unreadable.delete(key);
  }

  /** `null`: not under our root, or not a record of ours (the leader key is leadership's). */
  #placeOf(key: string): Place | null {
    if (!key.startsWith(this.root)) return null;
    const [area = '', ...parts] = key.slice(this.root.length).split('/');
    return isArea(area) && parts.length > 0 ? { area, parts } : null;
  }

  #forget({ area, parts }: Place): void {
    const [first = '', second = '', third = ''] = parts;
    const member: MemberId = `${first}/${second}`;
    if (hasOnePart(area)) this[area].delete(first);
    else if (area === 'pauses' || area === 'undelivered') this[area].delete(parts.join('/'));
    else if (area === 'opinions') this.#opinions.delete(member, third);
    else if (area === 'history') this.#history.delete(member, third);
    else if (area === 'journal') this.#journals.delete(first, second);
    else this[area].delete(member);
  }

  /** @throws RECORD_UNREADABLE, also for a record that contradicts its key. */
  #store({ area, parts }: Place, entry: KvEntry): void {
    const [first = '', second = '', third = ''] = parts;
    const member: MemberId = `${first}/${second}`;
    const read = <T>(schema: z.ZodType<T>): Stored<T> => ({
      record: parseRecord(schema, entry.key, entry.value),
      modRevision: entry.modRevision,
    });
    const into: Readonly<Record<Area, () => void>> = {
      coordinators: () => this.coordinators.set(first, read(CoordinatorRecordSchema)),
      groups: () => this.groups.set(first, this.#fitting(entry.key, read(GroupRecordSchema))),
      policies: () => this.policies.set(first, this.#fitting(entry.key, read(PolicyRecordSchema))),
      pauses: () => this.pauses.set(parts.join('/'), read(PauseRecordSchema)),
      audit: () => this.audit.set(first, read(AuditRecordSchema)),
      answers: () => this.answers.set(first, read(AnswerRecordSchema)),
      drains: () => this.drains.set(first, read(DrainRecordSchema)),
      judge: () => this.judge.set(first, read(JudgeRecordSchema)),
      findings: () => this.findings.set(first, read(FindingsRecordSchema)),
      level: () => this.level.set(first, read(FeatureLevelRecordSchema)),
      judgements: () => this.judgements.set(member, read(JudgementRecordSchema)),
      journal: () => this.#journals.set(first, second, read(JournalRecordSchema)),
      opinions: () => this.#opinions.set(member, third, read(OpinionRecordSchema)),
      history: () => this.#history.set(member, third, read(HistoryRecordSchema)),
      members: () => this.members.set(member, read(MemberRecordSchema)),
      activations: () => this.activations.set(member, read(ActivationRecordSchema)),
      intents: () => this.intents.set(member, read(IntentRecordSchema)),
      preparations: () => this.preparations.set(first, read(PreparationRecordSchema)),
      prepared: () => this.prepared.set(first, read(PreparedRecordSchema)),
      requests: () => this.requests.set(member, read(OperatorRequestRecordSchema)),
      holds: () => this.holds.set(member, read(HoldRecordSchema)),
      outbox: () => this.outbox.set(first, read(NoticeRecordSchema)),
      enrolments: () => this.enrolments.set(member, read(KeyEnrolmentRecordSchema)),
      deeds: () => this.deeds.set(member, read(DeedsRecordSchema)),
      undelivered: () => this.undelivered.set(parts.join('/'), read(UndeliveredRecordSchema)),
    };
    into[area]();
  }

  /** @throws POLICY_REFUSED with both numbers. */
  #fitting<T extends { readonly policy: GroupPolicy }>(key: string, stored: Stored<T>): Stored<T> {
    const fault = this.#policyFault(stored.record.policy);
    if (fault === null) return stored;
    throw new OperationError('POLICY_REFUSED', `${key}: ${fault}`);
  }
}

function unreadableOf({ key, modRevision }: KvEntry, { area, parts }: Place, error: unknown): UnreadableRecord {
  const text = errorText(error);
  const code: UnreadableRecord['code'] = hasCode(error, 'POLICY_REFUSED') ? 'POLICY_REFUSED' : 'RECORD_UNREADABLE';
  const [first = '', second = '', third = ''] = parts;
  const bearsOnActivation = ['members', 'activations', 'intents', 'history'].includes(area);
  const blocks = !DECIDE_NOTHING.has(area);
  const base = { key, modRevision, code, text, member: null, group: null, opId: null, blocks, bearsOnActivation };
  if (area === 'journal') return { ...base, opId: first };
  if (area === 'groups') return { ...base, group: first };
  // The last good policy is only used where the group's own record is refused, and then that record
  // blocks.
  if (area === 'policies') return { ...base, group: first, blocks: false };
  if (area === 'pauses') {
    // A pause that cannot be read counts as a pause of the scope its key names, or else of
    // everything.
    if (first === 'group' && parts.length === 2 && isName(second)) return { ...base, group: second };
    const namesMember = first === 'member' && parts.length === 3 && isName(second) && isName(third);
    return namesMember ? { ...base, member: `${second}/${third}` } : base;
  }
  return isName(first) && isName(second) && !hasOnePart(area) && area !== 'undelivered'
    ? { ...base, member: `${first}/${second}` }
    : { ...base, blocks: false };
}
