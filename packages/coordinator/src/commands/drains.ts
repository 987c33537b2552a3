import type { CoordinatorRecord, DrainRecord, KvCompare } from '@understudy/shared';
import { drainedAt } from '../policy/drains.ts';
import {
  type Asked,
  type Command,
  type CommandDecision,
  type CommandFacts,
  type ObserverMinimum,
  refused,
} from './command.ts';

type Drain = Extract<Command, { kind: 'drain' }>;
type Undrain = Extract<Command, { kind: 'undrain' }>;

/** The coordinators that would still lead and accuse. */
function others({ records, nowWallMs }: CommandFacts, coordinatorId: string): readonly CoordinatorRecord[] {
  const drained = drainedAt(records, nowWallMs);
  return [...records.coordinators.values()]
    .map(({ record }) => record)
    .filter((one) => one.coordinatorId !== coordinatorId && !drained.has(one.coordinatorId));
}

/**
 * **S** Refused with numbers where too few would be left to call anybody dead, unless the person
 * says that they know; always where nobody would be left to lead. The transaction compares who else
 * is there and drained, so two drains at once cannot both count on each other.
 */
export function decideDrain({ command, caller, reason }: Asked<Drain>, facts: CommandFacts): CommandDecision {
  const { coordinatorId, untilWallMs } = command;
  const { records, keys, nowWallMs, minimum } = facts;
  const key = keys.drain(coordinatorId);
  const there = records.drains.get(coordinatorId);
  if (!records.coordinators.has(coordinatorId)) return unknown(facts, coordinatorId);
  if (untilWallMs !== null && untilWallMs <= nowWallMs)
    return refused('BAD_REQUEST', 'its end is over by the clock of the leader: it would drain nobody');
  const left = others(facts, coordinatorId);
  const fault = tooFew(left, minimum);
  const numbers = { left: left.map((one) => one.coordinatorId), zones: zonesOf(left), minimum };
  if (left.length === 0)
    return refused('TOO_FEW_OBSERVERS', `without ${coordinatorId} nobody would be left to lead`, numbers);
  if (fault !== null && !command.override)
    return refused('TOO_FEW_OBSERVERS', `without ${coordinatorId} ${fault}: nobody would be called dead`, numbers);
  const record = { coordinatorId, who: caller.identity, why: reason, sinceWallMs: nowWallMs, untilWallMs };
  return {
    kind: 'change',
    about: coordinatorId,
    text: `${coordinatorId} is drained${fault === null ? '' : `, although ${fault}`}`,
    effect: { puts: [{ key, expect: facts.revisionOf(key), record }], also: standing(facts, coordinatorId) },
    before: there ? { ...shown(there.record) } : null,
    after: record,
    result: { drain: record, ...numbers },
  };
}

export function decideUndrain({ command }: Asked<Undrain>, facts: CommandFacts): CommandDecision {
  const { coordinatorId, revision: wanted } = command;
  const key = facts.keys.drain(coordinatorId);
  const revision = facts.revisionOf(key);
  if (revision === 0) return refused('NOTHING_THERE', `${coordinatorId} is not drained`);
  if (wanted !== null && wanted !== revision)
    return refused('REVISION_STALE', `the drain of ${coordinatorId} is another one than was shown`, { revision });
  const there = facts.records.drains.get(coordinatorId)?.record;
  return {
    kind: 'change',
    about: coordinatorId,
    text: `${coordinatorId} takes part again`,
    effect: { deletes: [{ key, expect: revision }] },
    before: there ? shown(there) : { coordinatorId, unreadable: true },
    after: null,
    result: { undrained: coordinatorId },
  };
}

const shown = ({ coordinatorId, who, why, sinceWallMs, untilWallMs }: DrainRecord) => ({
  ...{ coordinatorId, who, why, sinceWallMs, untilWallMs },
});

const zonesOf = (left: readonly Pick<CoordinatorRecord, 'az'>[]): readonly string[] => [
  ...new Set(left.map((one) => one.az)),
];

/** What is missing where only these accuse, with numbers. Null: they are enough to call dead. */
export function tooFew(
  left: readonly Pick<CoordinatorRecord, 'az'>[],
  { minimumObservers, minimumZones }: ObserverMinimum,
) {
  if (left.length < minimumObservers) return `${left.length} of at least ${minimumObservers} observers would be left`;
  const zones = zonesOf(left).length;
  return zones < minimumZones ? `observers in ${zones} of at least ${minimumZones} zones would be left` : null;
}

function standing({ records, keys, revisionOf }: CommandFacts, except: string): readonly KvCompare[] {
  const ids = [...records.coordinators.keys()].filter((id) => id !== except);
  return ids.flatMap((id) =>
    [keys.coordinator(id), keys.drain(id)].map((key) => ({ key, modRevision: revisionOf(key) })),
  );
}

export function unknown({ records }: CommandFacts, coordinatorId: string): CommandDecision {
  const present = [...records.coordinators.keys()].sort().join(', ');
  return refused('COORDINATOR_UNKNOWN', `no coordinator ${coordinatorId} is present; there is ${present}`);
}
