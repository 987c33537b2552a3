import {
  type ActivationRecord,
  carriedFields,
  type CloudInstance,
  type CloudTagged,
  type IntentRecord,
  isUndo,
  type MemberId,
  type MemberRecord,
  MemberRecordSchema,
  opIdOf,
  type Revision,
  TAG,
  type Unwritten,
  type WallMs,
} from '@understudy/shared';
import { hasActivated } from '@understudy/recovery';
import { type ClaimProblem, claimOf, isLive, isPrepared, isRetired } from './claims.ts';
import { otherAddressesOf } from './other-addresses.ts';

/**
 * Members one cluster may have. Further claims are reported and not enrolled. This bounds every map
 * keyed by member.
 */
export const MEMBERS_MAX = 100_000;

interface Stored<T> {
  readonly record: T;
  readonly modRevision: Revision;
}

export interface EnrolInput {
  /** Every instance with the tag key `understudy:group`, from one paginated listing. */
  readonly instances: readonly CloudInstance[];
  /**
   * Instances that carry our tags and cannot be looked at now, because their zone is impaired. They
   * may well be running.
   */
  readonly unseen: readonly CloudTagged[];
  readonly members: ReadonlyMap<MemberId, Stored<MemberRecord>>;
  readonly activations: ReadonlyMap<MemberId, Stored<ActivationRecord>>;
  readonly intents: ReadonlyMap<MemberId, Stored<IntentRecord>>;
  /** Members with a record that does not parse. They are left alone. */
  readonly unreadable: ReadonlySet<MemberId>;
  /**
   * Highest incarnation in the history of a member. A member that was removed and comes back goes
   * on from there.
   */
  readonly lastIncarnation: ReadonlyMap<MemberId, number>;
  /** Names of preparations that have gone: no recovery may have one (S31). */
  readonly goneNames: ReadonlySet<string>;
  /**
   * Store revision our view had when the listing was asked for. A member whose activation changed
   * since then is judged by the next listing.
   */
  readonly listedAtRevision: Revision;
  readonly nowWallMs: WallMs;
}

export interface EnrolConflict {
  readonly member: MemberId;
  readonly reason: 'TwoInstancesClaimMember' | 'ClaimAgainstActivation' | 'NotReady';
  readonly text: string;
}

/** A member to enrol. The caller guards the write: both records absent, in one transaction. */
export interface Enrolment {
  readonly member: MemberId;
  readonly memberRecord: Unwritten<MemberRecord>;
  readonly activationRecord: Unwritten<ActivationRecord>;
}

/**
 * A member whose record no longer says what the activated instance is. The write is guarded by
 * `expect` (0: the record is missing) and the activation's revision.
 */
export interface MemberRefresh {
  readonly member: MemberId;
  readonly expect: Revision;
  readonly activationModRevision: Revision;
  readonly record: Unwritten<MemberRecord>;
}

export interface EnrolDecisions {
  readonly enrol: readonly Enrolment[];
  readonly refresh: readonly MemberRefresh[];
  /** Members that must not be acted on. A member not named here has no conflict. */
  readonly conflicts: readonly EnrolConflict[];
  readonly problems: readonly ClaimProblem[];
}

type Outcome =
  | { readonly kind: 'enrol'; readonly enrolment: Enrolment }
  | { readonly kind: 'refresh'; readonly refresh: MemberRefresh }
  | { readonly kind: 'conflict'; readonly conflict: EnrolConflict }
  | { readonly kind: 'problem'; readonly problem: ClaimProblem }
  | { readonly kind: 'nothing' };

const NOTHING: Outcome = { kind: 'nothing' };

const listOf = (instances: readonly CloudInstance[]): string =>
  instances
    .slice(0, 5)
    .map((one) => `${one.instanceId} (${one.state})`)
    .join(', ') + (instances.length > 5 ? ` and ${instances.length - 5} more` : '');

const partsOf = (member: MemberId): { readonly group: string; readonly name: string } => {
  const slash = member.indexOf('/');
  return { group: member.slice(0, slash), name: member.slice(slash + 1) };
};

function memberRecordOf(
  member: MemberId,
  instance: CloudInstance,
  enrolledAtWallMs: number,
  known: Pick<MemberRecord, 'readinessProblems' | 'serveContract'>,
  carried: Readonly<Record<string, unknown>> = {},
): Unwritten<MemberRecord> {
  return {
    ...carried,
    member,
    ...partsOf(member),
    enrolledAtWallMs,
    instanceId: instance.instanceId,
    az: instance.az,
    instanceType: instance.instanceType,
    privateIp: instance.privateIp,
    otherAddresses: [...otherAddressesOf(instance)],
    ...known,
  };
}

const isSameInstance = (record: MemberRecord, instance: CloudInstance): boolean =>
  record.instanceId === instance.instanceId &&
  record.az === instance.az &&
  record.instanceType === instance.instanceType &&
  record.privateIp === instance.privateIp &&
  record.otherAddresses.join() === otherAddressesOf(instance).join();

/**
 * **S** (S31) The first ordinal from this one on whose name no preparation had that has gone. An
 * instance that was a member before, and whose records were removed, does not begin at 0 again.
 */
export function freeOrdinal(gone: ReadonlySet<string>, instanceId: string, from: number): number {
  let ordinal = from;
  while (gone.has(opIdOf(instanceId, ordinal))) ordinal += 1;
  return ordinal;
}

/**
 * **S** Enrols a member that has no activated instance: exactly one live, running claimant becomes
 * its first (or next) incarnation.
 */
function enrolNew(member: MemberId, claimants: readonly CloudInstance[], input: EnrolInput): Outcome {
  const live = claimants.filter(isLive);
  const [only, second] = live;
  if (second !== undefined)
    return conflict(
      member,
      'TwoInstancesClaimMember',
      `${live.length} live instances claim ${member}: ${listOf(live)}. Leave the tags on one of them`,
    );
  const known = input.members.get(member);
  if (known !== undefined)
    return conflict(
      member,
      'NotReady',
      `${member} is enrolled but its activation record is missing: restore it, or delete members/${member} to enrol ${only?.instanceId ?? 'its instance'} afresh`,
    );
  if (only === undefined || input.intents.has(member)) return NOTHING;
  if (only.state !== 'running') {
    const text = `claims ${member}; enrolled as soon as it runs (now ${only.state})`;
    return { kind: 'problem', problem: { instanceId: only.instanceId, code: 'NotRunningYet', text } };
  }
  return {
    kind: 'enrol',
    enrolment: {
      member,
      memberRecord: memberRecordOf(member, only, input.nowWallMs, { readinessProblems: [], serveContract: null }),
      activationRecord: {
        member,
        incarnation: (input.lastIncarnation.get(member) ?? 0) + 1,
        instanceId: only.instanceId,
        opId: null,
        ordinal: freeOrdinal(input.goneNames, only.instanceId, 0),
      },
    },
  };
}

const conflict = (member: MemberId, reason: EnrolConflict['reason'], text: string): Outcome => ({
  kind: 'conflict',
  conflict: { member, reason, text },
});

/** The retired instance that an open undo has serve again: no stranger, although it runs. */
const returningTo = (intent: IntentRecord | undefined): string | undefined =>
  intent && isUndo(intent.plan) ? intent.plan.undo.instanceId : undefined;

function watchKnown(
  member: MemberId,
  claimants: readonly CloudInstance[],
  activation: Stored<ActivationRecord>,
  input: EnrolInput,
): Outcome {
  const activeId = activation.record.instanceId;
  const intent = input.intents.get(member)?.record;
  const opId = intent?.opId;
  const strangers = claimants.filter(
    (one) =>
      isLive(one) &&
      one.instanceId !== activeId &&
      one.instanceId !== returningTo(intent) &&
      (opId === undefined || one.tags[TAG.op] !== opId),
  );
  if (strangers.length > 0)
    return conflict(
      member,
      'ClaimAgainstActivation',
      `${listOf(strangers)} claims ${member}, but ${activeId} is activated. Remove its tags or stop it`,
    );
  const active = claimants.find((one) => one.instanceId === activeId);
  // Until a recovery has activated its replacement, its engine and the activation say which
  // instance is which. The record follows then.
  const undecided = intent !== undefined && !hasActivated(intent, activation.record);
  if (active === undefined || undecided || !isLive(active)) return NOTHING;
  const known = input.members.get(member);
  if (known && isSameInstance(known.record, active)) return NOTHING;
  const readinessProblems = known?.record.instanceId === activeId ? known.record.readinessProblems : [];
  // A contract belongs to the member, not to the instance: its successor is asked for the same.
  const serveContract = known?.record.serveContract ?? null;
  return {
    kind: 'refresh',
    refresh: {
      member,
      expect: known?.modRevision ?? 0,
      activationModRevision: activation.modRevision,
      record: memberRecordOf(
        member,
        active,
        known?.record.enrolledAtWallMs ?? input.nowWallMs,
        { readinessProblems, serveContract },
        known && carriedFields(MemberRecordSchema, known.record),
      ),
    },
  };
}

/**
 * Decides on instances that cannot be seen. They may be running, so the member is neither enrolled
 * nor taken for harmless. Null: none of them matters.
 */
function weighUnseen(member: MemberId, unseen: readonly CloudTagged[], input: EnrolInput): Outcome | null {
  const activation = input.activations.get(member)?.record;
  const intent = input.intents.get(member)?.record;
  const expected = [activation?.instanceId, intent?.oldInstanceId, returningTo(intent)];
  const strangers = unseen.filter(
    (one) => !expected.includes(one.instanceId) && (intent === undefined || one.tags[TAG.op] !== intent.opId),
  );
  const [first] = strangers;
  if (first === undefined) return null;
  const ids = strangers.slice(0, 5).map((one) => one.instanceId);
  const text = `${ids.join(', ')} claims ${member} and cannot be seen while its zone is impaired`;
  if (activation) return conflict(member, 'ClaimAgainstActivation', `${text}; ${activation.instanceId} is activated`);
  return { kind: 'problem', problem: { instanceId: first.instanceId, code: 'NotVisible', text } };
}

function decideMember(member: MemberId, { seen, unseen }: Claimants, input: EnrolInput): Outcome {
  if (input.unreadable.has(member)) return NOTHING;
  const activation = input.activations.get(member);
  if (activation && activation.modRevision > input.listedAtRevision) return NOTHING;
  const obscured = weighUnseen(member, unseen, input);
  if (obscured) return obscured;
  return activation ? watchKnown(member, seen, activation, input) : enrolNew(member, seen, input);
}

/**
 * A stopped instance that still claims a member is no danger, because it is not activated. But a
 * person may start it by mistake.
 */
function stoppedClaimants(claimants: readonly CloudInstance[], activeId: string | undefined): readonly ClaimProblem[] {
  return claimants
    .filter((one) => one.state === 'stopped' && one.instanceId !== activeId && one.tags[TAG.op] === undefined)
    .map((one) => ({
      instanceId: one.instanceId,
      code: 'StoppedClaimant',
      text: `is stopped and carries the tags of a member it does not serve for: remove them`,
    }));
}

interface Claimants {
  readonly seen: CloudInstance[];
  readonly unseen: CloudTagged[];
}

function claimantsOf(input: EnrolInput, problems: ClaimProblem[]): ReadonlyMap<MemberId, Claimants> {
  const claimants = new Map<MemberId, Claimants>();
  const claimed = (instance: CloudTagged): Claimants | null => {
    const claim = claimOf(instance);
    if (claim.kind === 'none') {
      problems.push(claim.problem);
      return null;
    }
    const own = claimants.get(claim.member) ?? { seen: [], unseen: [] };
    claimants.set(claim.member, own);
    return own;
  };
  for (const instance of input.instances) {
    if (
      isPrepared(instance) ||
      isRetired(instance) ||
      instance.state === 'terminated' ||
      instance.state === 'shutting-down'
    )
      continue;
    claimed(instance)?.seen.push(instance);
  }
  for (const instance of input.unseen)
    if (instance.tags[TAG.retiredBy] === undefined && !isPrepared(instance)) claimed(instance)?.unseen.push(instance);
  return claimants;
}

/**
 * Decides from the tags of the instances that exist and the records we keep: which members to
 * enrol, which records to bring up to date, and which members must be left alone because two
 * instances claim the same identity. Instances that are gone or retired count for nothing. Nothing
 * is ever removed here, because a listing that misses an instance proves nothing (EC2 is eventually
 * consistent).
 */
export function decideEnrolment(input: EnrolInput): EnrolDecisions {
  const enrol: Enrolment[] = [];
  const refresh: MemberRefresh[] = [];
  const conflicts: EnrolConflict[] = [];
  const problems: ClaimProblem[] = [];
  for (const [member, own] of claimantsOf(input, problems)) {
    problems.push(...stoppedClaimants(own.seen, input.activations.get(member)?.record.instanceId));
    const outcome = decideMember(member, own, input);
    if (outcome.kind === 'refresh') refresh.push(outcome.refresh);
    else if (outcome.kind === 'conflict') conflicts.push(outcome.conflict);
    else if (outcome.kind === 'problem') problems.push(outcome.problem);
    else if (outcome.kind === 'enrol' && input.members.size + enrol.length < MEMBERS_MAX) enrol.push(outcome.enrolment);
    else if (outcome.kind === 'enrol')
      problems.push({
        instanceId: outcome.enrolment.memberRecord.instanceId,
        code: 'TooManyMembers',
        text: `${MEMBERS_MAX} members are enrolled; ${member} is not`,
      });
  }
  return { enrol, refresh, conflicts, problems };
}
