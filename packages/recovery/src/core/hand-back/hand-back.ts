import type { HandBackResource, HandBackView, HistoryRecord, Tags } from '@understudy/shared';
import { driftOf } from './drift.ts';
import type { HandBackFacts } from './facts.ts';
import type { InstanceSight, SeenPart } from './instance-sight.ts';
import { notesOf } from './notes.ts';
import type { HandBackRecoveries } from './recoveries.ts';

const STACK = 'aws:cloudformation:stack-name';
const LOGICAL_ID = 'aws:cloudformation:logical-id';

function madeBy(tags: Tags | undefined): HandBackResource['madeBy'] {
  const stack = tags?.[STACK];
  const logicalId = tags?.[LOGICAL_ID];
  return stack === undefined || logicalId === undefined ? null : { stack, logicalId };
}

const firstOf = ({ taken }: HandBackRecoveries): HistoryRecord | null => taken[0] ?? null;

/** What code names: the instance that the first of the recoveries began with. */
const namedInstance = (facts: HandBackFacts): string => firstOf(facts)?.oldInstanceId ?? '';

/** Parts of the old instance: what the inventory saw, what EC2 shows yet, and what records name. */
function partsBefore(facts: HandBackFacts, of: (sight: InstanceSight) => readonly SeenPart[]): readonly SeenPart[] {
  const found = new Map<string, SeenPart>();
  for (const sight of [facts.before, facts.retained])
    for (const part of sight === null ? [] : of(sight)) if (!found.has(part.id)) found.set(part.id, part);
  return [...found.values()];
}

/** Volumes that EC2 does not show on the old instance any more stand in the recovery's record. */
function volumesBefore(facts: HandBackFacts): readonly (Omit<SeenPart, 'place'> & { readonly place: string | null })[] {
  const seen = partsBefore(facts, ({ volumes }) => volumes);
  const known = new Set(seen.map(({ id }) => id));
  const recorded = firstOf(facts)?.undo?.volumeIds ?? [];
  const moved = new Map(facts.active?.volumes.map(({ id, place }) => [id, place]));
  return [
    ...seen,
    ...recorded.filter((id) => !known.has(id)).map((id) => ({ id, place: moved.get(id) ?? null, attachmentId: null })),
  ];
}

type Matched = Pick<HandBackResource, 'is' | 'fate' | 'attachment'>;

const NOT_KNOWN: Matched = { is: null, fate: 'unknown', attachment: null };

/** What took the place of a part: itself, or what is at its place on the instance that serves. */
function matched(
  facts: HandBackFacts,
  part: { readonly id: string; readonly place: string | null },
  now: readonly SeenPart[],
): Matched {
  if (facts.active === null) return NOT_KNOWN;
  const same = now.find(({ id }) => id === part.id);
  const isKept = facts.active.instanceId === namedInstance(facts);
  if (same) return { is: same.id, fate: isKept ? 'kept' : 'moved', attachment: same.attachmentId };
  if (part.place === null) return NOT_KNOWN;
  const there = now.find(({ place }) => place === part.place);
  if (there) return { is: there.id, fate: 'replaced', attachment: there.attachmentId };
  return { is: null, fate: 'left', attachment: null };
}

const volumeRows = (facts: HandBackFacts): readonly HandBackResource[] =>
  volumesBefore(facts).map(({ id, place }) => ({
    ...{ kind: 'volume' as const, was: id, place, madeBy: madeBy(facts.tags.get(id)) },
    ...matched(facts, { id, place }, facts.active?.volumes ?? []),
  }));

/** An interface that has moved is not seen on the old instance: it is known by the move. */
function interfaceRows(facts: HandBackFacts): readonly HandBackResource[] {
  const before = partsBefore(facts, ({ interfaces }) => interfaces);
  const known = new Set(before.map(({ id }) => id));
  const moved = facts.taken
    .flatMap(({ moved: items = [] }) => items.filter(({ move }) => move === 'interface').map(({ item }) => item))
    .filter((id) => !known.has(id));
  const now = facts.active?.interfaces ?? [];
  const places = new Map(now.map(({ id, place }) => [id, place]));
  return [...before, ...new Set(moved)].map((one) => {
    const part = typeof one === 'string' ? { id: one, place: places.get(one) ?? null } : one;
    return {
      ...{ kind: 'interface' as const, was: part.id, place: part.place, madeBy: madeBy(facts.tags.get(part.id)) },
      ...matched(facts, part, now),
    };
  });
}

/** Elastic IP addresses keep their ids: only what associates them is another one. */
const addressRows = (facts: HandBackFacts): readonly HandBackResource[] =>
  facts.addresses.map((one) => {
    const serves = one.instanceId !== null && one.instanceId === facts.activeInstanceId;
    const isKept = facts.activeInstanceId === namedInstance(facts);
    return {
      ...{ kind: 'address', was: one.allocationId, is: serves ? one.allocationId : null, place: one.publicIp },
      fate: serves ? (isKept ? 'kept' : 'moved') : 'left',
      ...{ attachment: serves ? one.associationId : null, madeBy: madeBy(one.tags) },
    };
  });

function instanceRow(facts: HandBackFacts): HandBackResource {
  const was = namedInstance(facts);
  const is = facts.activeInstanceId;
  const fate = is === null ? 'unknown' : is === was ? 'kept' : 'replaced';
  const tags = { ...facts.before?.tags, ...facts.retained?.tags };
  return { kind: 'instance', was, is, fate, place: null, attachment: null, madeBy: madeBy(tags) };
}

/** Only AWS writes tags that begin with `aws:`: a successor has none of them. */
function lostTags({ retained, before, active }: HandBackFacts): Record<string, string> {
  const had = Object.entries({ ...before?.tags, ...retained?.tags });
  return Object.fromEntries(had.filter(([key, value]) => key.startsWith('aws:') && active?.tags[key] !== value));
}

/**
 * What infrastructure code names, and what took its place. Pure; it says what is so, and does
 * nothing about it.
 */
export function handBackOf(facts: HandBackFacts): HandBackView {
  const { retained, before, active, member } = facts;
  const old = before ?? retained;
  const instance = instanceRow(facts);
  const isOther = instance.fate !== 'kept';
  const resources = [instance, ...volumeRows(facts), ...interfaceRows(facts), ...addressRows(facts)];
  return {
    member,
    recoveries: facts.taken.map((one) => ({
      ...{ opId: one.opId, outcome: one.outcome, strategy: one.strategy ?? 'snapshot-and-replace' },
      ...{ endedAtWallMs: one.endedAtWallMs, was: one.oldInstanceId, is: one.newInstanceId },
    })),
    earlier: facts.earlier.map(({ opId, oldInstanceId }) => ({ opId, was: oldInstanceId })),
    seenIn: before ? 'inventory' : retained ? 'ec2' : 'nowhere',
    isDue: isOther,
    resources,
    drift: old === null || active === null || !isOther ? [] : [...driftOf(old, active)],
    lostTags: isOther ? lostTags(facts) : {},
    notes: [...notesOf(facts, resources)],
  };
}
