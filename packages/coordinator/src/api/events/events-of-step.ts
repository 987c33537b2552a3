import {
  ActivationRecordSchema,
  CoordinatorRecordSchema,
  type EventKind,
  FindingsRecordSchema,
  type FleetEvent,
  groupOf,
  HistoryRecordSchema,
  HoldRecordSchema,
  IntentRecordSchema,
  JournalRecordSchema,
  JudgementRecordSchema,
  type KvEntry,
  LeaderRecordSchema,
  type MemberId,
  OperatorRequestRecordSchema,
  parseRecord,
  PauseRecordSchema,
} from '@understudy/shared';
import type * as z from 'zod';
import {
  activationChange,
  type Change,
  holdBegun,
  holdEnded,
  leaderChange,
  pauseBegun,
  pauseEnded,
  policyChange,
  problemChanges,
  recoveryBegun,
  recoveryEnded,
  verdictChange,
} from '../../notices/change.ts';
import type { StoreStep } from '../../store/watch-cache.ts';

/** What an event says, without where and when. */
type Told = Omit<FleetEvent, 'id' | 'atWallMs'>;

/** The member whose recovery this is. Null: not known here. */
export type MemberOf = (opId: string) => MemberId | null;

type Read = <T>(schema: z.ZodType<T>, entry: KvEntry | null) => T | null;
interface Step {
  readonly step: StoreStep;
  readonly parts: readonly string[];
  readonly read: Read;
  readonly memberOf: MemberOf;
}

/** A record that cannot be read tells nothing here: it is a problem, and shown as that. */
const read: Read = (schema, entry) => {
  try {
    return entry === null ? null : parseRecord(schema, entry.key, entry.value);
  } catch {
    return null;
  }
};

const one = <T>(value: T | null): readonly T[] => (value === null ? [] : [value]);

const ofJudgement = ({ step, read }: Step): readonly Change[] => {
  const now = read(JudgementRecordSchema, step.after);
  return now ? one(verdictChange(now, read(JudgementRecordSchema, step.before))) : [];
};

const ofActivation = ({ step, read }: Step): readonly Change[] => {
  const now = read(ActivationRecordSchema, step.after);
  return now ? one(activationChange(now, read(ActivationRecordSchema, step.before))) : [];
};

const plain = (kind: EventKind, about: Pick<Told, 'group' | 'member' | 'opId'>, words: Partial<Told>): Told => ({
  ...{ kind, severity: 'info', ...about },
  ...{ what: '', why: '', next: '' },
  ...words,
});

function ofIntent({ step, read }: Step): readonly Told[] {
  const [before, now] = [read(IntentRecordSchema, step.before), read(IntentRecordSchema, step.after)];
  if (!now) return [];
  if (!before || before.opId !== now.opId) return [recoveryBegun(now)];
  const about = { group: groupOf(now.member), member: now.member, opId: now.opId };
  const act = now.acts?.at(-1);
  const words = {
    what: `the recovery of ${now.member} was changed${act ? `: ${act.kind} by ${act.by}` : ''}`,
    why: act?.why ?? 'its record was written again',
    next: act?.text ?? 'it goes on',
  };
  return [plain('recovery.plan-changed', about, words)];
}

function ofHistory({ step, read }: Step): readonly Told[] {
  const [before, now] = [read(HistoryRecordSchema, step.before), read(HistoryRecordSchema, step.after)];
  if (!now) return [];
  if (!before) return [recoveryEnded(now)];
  if (before.acknowledged || !now.acknowledged) return [];
  const { by, why } = now.acknowledged;
  const words = {
    what: `${by} acknowledged the recovery of ${now.member}`,
    why,
    next: 'it counts against nothing now',
  };
  return [plain('recovery.acknowledged', { group: groupOf(now.member), member: now.member, opId: now.opId }, words)];
}

function ofHold({ step, read }: Step): readonly Told[] {
  const [before, now] = [read(HoldRecordSchema, step.before), read(HoldRecordSchema, step.after)];
  if (!now) return before ? [holdEnded(before)] : [];
  const begun = holdBegun(now, before);
  if (begun) return [begun];
  if (before === null || before.text === now.text) return [];
  return [{ ...holdBegun(now, null), kind: 'hold.changed' } as Told];
}

function ofPause({ step, read }: Step): readonly Told[] {
  const [before, now] = [read(PauseRecordSchema, step.before), read(PauseRecordSchema, step.after)];
  if (!now) return before ? [pauseEnded(before)] : [];
  const begun = pauseBegun(now, now.sinceWallMs);
  return [before ? { ...begun, kind: 'pause.changed' } : begun];
}

function ofLeader({ step, read }: Step): readonly Told[] {
  const [before, now] = [read(LeaderRecordSchema, step.before), read(LeaderRecordSchema, step.after)];
  if (now)
    return before?.coordinatorId === now.coordinatorId
      ? []
      : [leaderChange(now.coordinatorId, before?.coordinatorId ?? null)];
  if (!before) return [];
  const words = {
    what: `${before.coordinatorId} leads no longer`,
    why: 'it stopped, handed over, or lost its lease',
    next: 'another coordinator leads within seconds, as long as most of etcd answers',
  };
  return [plain('leader.lost', { group: null, member: null, opId: null }, { severity: 'warning', ...words })];
}

function ofCoordinator({ step, read, parts }: Step): readonly Told[] {
  const [before, now] = [read(CoordinatorRecordSchema, step.before), read(CoordinatorRecordSchema, step.after)];
  const about = { group: null, member: null, opId: null };
  const [, id = ''] = parts;
  if (now && before?.processId !== now.processId) {
    const words = {
      what: `coordinator ${id} (${now.az}) is there`,
      why: 'it started',
      next: 'its opinions count when it is warm',
    };
    return [plain('coordinator.joined', about, words)];
  }
  if (now || !before) return [];
  const words = {
    what: `coordinator ${id} (${before.az}) is gone`,
    why: 'it stopped, or lost its lease',
    next: 'its opinions count no longer',
  };
  return [plain('coordinator.left', about, { severity: 'warning', ...words })];
}

function ofJournal({ step, read, memberOf }: Step): readonly Told[] {
  const [before, now] = [read(JournalRecordSchema, step.before), read(JournalRecordSchema, step.after)];
  if (!now || before?.state === now.state) return [];
  const member = memberOf(now.opId);
  const about = { group: member && groupOf(member), member, opId: now.opId };
  const what = { started: 'began', done: 'is done', failed: 'failed' }[now.state];
  const severity = now.state === 'failed' ? 'warning' : 'info';
  const words = { what: `step ${now.step} ${what}`, why: now.error?.text ?? '', next: `understudy recoveries` };
  return [plain('recovery.step', about, { severity, ...words })];
}

function ofRequest({ step, read }: Step): readonly Told[] {
  const now = read(OperatorRequestRecordSchema, step.after);
  if (!now) return [];
  const about = { group: groupOf(now.member), member: now.member, opId: now.opId };
  const words = {
    what: `${now.by} asked for ${now.kind} of ${now.member}`,
    why: now.why,
    next: 'the leader carries it out',
  };
  return [plain('operator.asked', about, words)];
}

const ofFindings = ({ step, read }: Step): readonly Change[] => {
  const now = read(FindingsRecordSchema, step.after);
  return now ? problemChanges(now, read(FindingsRecordSchema, step.before)) : [];
};

const AREAS: Readonly<Record<string, (step: Step) => readonly Told[]>> = {
  ...{ judgements: ofJudgement, activations: ofActivation, intents: ofIntent, history: ofHistory },
  ...{ holds: ofHold, pauses: ofPause, leader: ofLeader, coordinators: ofCoordinator, journal: ofJournal },
  ...{ requests: ofRequest, findings: ofFindings },
  groups: ({ step, parts }) => [policyChange(parts[1] ?? '', step.after === null)],
};

const partsOf = (key: string, root: string): readonly string[] =>
  key.startsWith(root) ? key.slice(root.length).split('/') : [];

/** False: a change of this key is no event, whatever it is. */
export const mayTell = (key: string, root: string): boolean => Object.hasOwn(AREAS, partsOf(key, root)[0] ?? '');

/** When the writer of an entry says it wrote it. Null: it does not say. */
function writtenAt(entry: KvEntry | null): number | null {
  if (entry === null) return null;
  const json: unknown = JSON.parse(entry.value);
  const at: unknown = typeof json === 'object' && json !== null ? Reflect.get(json, 'writtenAtWallMs') : null;
  return typeof at === 'number' ? at : null;
}

/**
 * What one write to etcd means for people, in the order of telling. It is a function of the write
 * alone: of what stood there, and of what stands there now. `write`: its number in its revision.
 */
export function eventsOfStep(step: StoreStep, write: number, root: string, memberOf: MemberOf): readonly FleetEvent[] {
  const parts = partsOf(step.key, root);
  const told = AREAS[parts[0] ?? '']?.({ step, parts, read, memberOf }) ?? [];
  if (told.length === 0) return [];
  const atWallMs = writtenAt(step.after);
  return told.map((event, number) => ({ id: `${step.revision}.${write}.${number}`, atWallMs, ...event }));
}
