import {
  ActivationRecordSchema,
  CoordinatorRecordSchema,
  errorText,
  GroupRecordSchema,
  HistoryRecordSchema,
  HoldRecordSchema,
  IntentRecordSchema,
  JournalRecordSchema,
  FeatureLevelRecordSchema,
  FindingsRecordSchema,
  JudgementRecordSchema,
  JudgeRecordSchema,
  type KvEntry,
  type KvStore,
  LeaderRecordSchema,
  MemberRecordSchema,
  OpinionRecordSchema,
  OperatorRequestRecordSchema,
  parseRecord,
  PauseRecordSchema,
  PolicyRecordSchema,
  shownLines,
} from '@understudy/shared';
import ansis from 'ansis';
import type * as z from 'zod';

/**
 * One etcd key as `inspect` shows it. `problem` is set when the record does not fit its schema; the
 * raw value is kept.
 */
export interface InspectedKey {
  readonly key: string;
  readonly modRevision: number;
  readonly createRevision: number;
  readonly leaseId: string | null;
  readonly record: unknown;
  readonly problem: string | null;
}

const SCHEMA_OF_AREA: Readonly<Record<string, z.ZodType>> = {
  leader: LeaderRecordSchema,
  coordinators: CoordinatorRecordSchema,
  opinions: OpinionRecordSchema,
  judgements: JudgementRecordSchema,
  judge: JudgeRecordSchema,
  findings: FindingsRecordSchema,
  level: FeatureLevelRecordSchema,
  groups: GroupRecordSchema,
  policies: PolicyRecordSchema,
  members: MemberRecordSchema,
  activations: ActivationRecordSchema,
  intents: IntentRecordSchema,
  journal: JournalRecordSchema,
  holds: HoldRecordSchema,
  requests: OperatorRequestRecordSchema,
  pauses: PauseRecordSchema,
  history: HistoryRecordSchema,
};

/** The areas of the key space, as `docs/etcd-keys.md` has them. */
export const AREAS: readonly string[] = Object.keys(SCHEMA_OF_AREA);

/** User data holds the agent's key, so only its length is shown, wherever it stands in a record. */
function withoutSecrets(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (typeof value !== 'object' || value === null) return value;
  const mask = (key: string, each: unknown) =>
    /^userdata$/i.test(key) && typeof each === 'string' ? `[masked: ${each.length} characters]` : withoutSecrets(each);
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, mask(key, each)]));
}

export function inspectEntry(root: string, entry: KvEntry): InspectedKey {
  const area = entry.key.slice(root.length).split('/')[0] ?? '';
  const schema = SCHEMA_OF_AREA[area];
  const { key, modRevision, createRevision, leaseId } = entry;
  const base = { key, modRevision, createRevision, leaseId };
  if (!schema) return { ...base, record: entry.value, problem: 'no such area in this version' };
  try {
    return { ...base, record: withoutSecrets(parseRecord(schema, key, entry.value)), problem: null };
  } catch (error) {
    return { ...base, record: entry.value, problem: errorText(error) };
  }
}

/**
 * Everything below `root` + `area`, straight from etcd.
 * @throws STORE_UNAVAILABLE
 */
export async function readKeys(store: KvStore, root: string, area: string): Promise<readonly InspectedKey[]> {
  const { entries } = await store.range(`${root}${area}`);
  return entries.map((entry) => inspectEntry(root, entry));
}

function keyText(each: InspectedKey): string {
  const lease = each.leaseId === null ? '' : `, lease ${BigInt(each.leaseId).toString(16)}`;
  const head = `${ansis.bold(each.key)} ${ansis.gray(`(revision ${each.modRevision}, created ${each.createRevision}${lease})`)}`;
  const problem = each.problem === null ? '' : `\n  ${ansis.red(each.problem)}`;
  const body =
    typeof each.record === 'string' ? shownLines(each.record).join('\n') : JSON.stringify(each.record, null, 2);
  return `${head}${problem}\n${body.replaceAll(/^/gm, '  ')}`;
}

export const keysText = (keys: readonly InspectedKey[]): string =>
  keys.length === 0 ? 'nothing under this key' : keys.map(keyText).join('\n\n');
