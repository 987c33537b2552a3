import {
  groupOf,
  type HistoryRecord,
  type HoldRecord,
  type MemberView,
  OperationError,
  type RecoveriesView,
  type StatusView,
} from '@understudy/shared';
import { nameMeant } from '../client/chosen-members.ts';

/** What a condition looks at, read at about the same time. */
export interface World {
  readonly status: StatusView;
  readonly members: readonly MemberView[];
  readonly recoveries: RecoveriesView;
  readonly holds: readonly HoldRecord[];
}

/**
 * - `met`: it is so;
 * - `not-yet`: it may become so;
 * - `never`: it cannot become so any more, as when a recovery ended otherwise.
 */
export interface Answer {
  readonly state: 'met' | 'not-yet' | 'never';
  /** What is so now. */
  readonly text: string;
}

/** A condition that has its object, and remembers what it began with. */
export type Condition = (world: World) => Answer;

const met = (text: string): Answer => ({ state: 'met', text });
const notYet = (text: string): Answer => ({ state: 'not-yet', text });
const never = (text: string): Answer => ({ state: 'never', text });

function memberOf(world: World, asked: string): MemberView {
  const name = nameMeant(
    asked,
    world.members.map(({ member }) => member),
  );
  const found = world.members.find(({ member }) => member === name);
  if (found === undefined) throw new OperationError('MEMBER_UNKNOWN', `no member ${asked}`);
  return found;
}

const verdict =
  (wanted: MemberView['verdict']) =>
  (asked: string): Condition =>
  (world) => {
    const { member, verdict: is, reason } = memberOf(world, asked);
    return is === wanted ? met(`${member} is ${is}`) : notYet(`${member} is ${is}: ${reason}`);
  };

/** Not the end of the failure: the next way is taken while the member is dead. */
const isEndOfFailure = ({ outcome }: HistoryRecord): boolean => outcome !== 'not-mended';

const endedText = ({ member, outcome, newInstanceId, opId }: HistoryRecord): string =>
  `${member}: recovery ${opId} ended: ${outcome}${newInstanceId === null ? '' : ` by ${newInstanceId}`}`;

/** Met when a recovery that was open, or began since, ended with a replacement that is alive. */
function recovered(asked: string): Condition {
  let known: ReadonlySet<string> | null = null;
  return (world) => {
    const { member, verdict: is, instanceId } = memberOf(world, asked);
    const ended = world.recoveries.history.filter((one) => one.member === member);
    known ??= new Set(ended.map(({ opId }) => opId));
    const open = world.recoveries.open.find((one) => one.member === member);
    if (open !== undefined) return notYet(`${member}: recovery ${open.opId} is open: ${open.activity ?? 'begun'}`);
    const latest = ended.filter((one) => known?.has(one.opId) === false && isEndOfFailure(one)).at(0);
    if (latest?.outcome === 'abandoned') return never(endedText(latest));
    if (is === 'alive' && (latest !== undefined || world.status.judgement.standing === 'current'))
      return met(latest === undefined ? `${member} is alive on ${instanceId}` : endedText(latest));
    return notYet(`${member} is ${is}, no recovery is open`);
  };
}

/** Met when the recovery, or whatever recovery of the member, is not open any more. */
const recoveryEnded = (asked: string): Condition => {
  let opId: string | null = null;
  return ({ recoveries: { open, history } }) => {
    const isAsked = (one: { readonly opId: string; readonly member: string }): boolean =>
      one.opId === opId || one.opId === asked || one.member === asked;
    const running = open.find(isAsked) ?? (opId === null ? open.find((one) => one.opId.startsWith(asked)) : undefined);
    if (running !== undefined) {
      opId = running.opId;
      return notYet(`${running.member}: recovery ${opId} is open: ${running.activity ?? 'begun'}`);
    }
    const ended = history.find(isAsked);
    if (ended !== undefined) return met(endedText(ended));
    if (opId !== null) return met(`recovery ${opId} is not open any more`);
    throw new OperationError('MEMBER_UNKNOWN', `no recovery of ${asked} is open or known`);
  };
};

const healthy =
  (asked: string): Condition =>
  (world) => {
    const groups = [...new Set(world.members.map(({ member }) => groupOf(member)))];
    const group = nameMeant(asked, groups);
    const of = world.members.filter(({ member }) => groupOf(member) === group);
    const odd = of.filter(
      (one) => !['alive', 'left'].includes(one.verdict) || one.hold !== null || one.recovery !== null,
    );
    if (odd.length === 0) return met(`${group}: all ${of.length} members are well`);
    return notYet(`${group}: ${odd.map(({ member, verdict: is }) => `${member} is ${is}`).join(', ')}`);
  };

const leader =
  (): Condition =>
  ({ status }) =>
    status.leader !== null && status.judgement.standing === 'current'
      ? met(`${status.leader.coordinatorId} leads (term ${status.leader.term}) and has judged`)
      : notYet(status.leader === null ? 'nobody leads' : `${status.leader.coordinatorId} leads and has not judged yet`);

const nothingHeld =
  (): Condition =>
  ({ holds }) =>
    holds.length === 0 ? met('nothing is held') : notYet(`held: ${holds.map(({ member }) => member).join(', ')}`);

const nothingOpen =
  (): Condition =>
  ({ recoveries: { open } }) =>
    open.length === 0 ? met('no recovery is open') : notYet(`open: ${open.map(({ member }) => member).join(', ')}`);

interface Kind {
  /** What has to follow its name. Null: nothing. */
  readonly object: 'member' | 'recovery' | 'group' | null;
  readonly means: string;
  readonly of: (object: string) => Condition;
}

/** What can be waited for. */
export const CONDITIONS: Readonly<Record<string, Kind>> = {
  alive: { object: 'member', means: 'the member is alive', of: verdict('alive') },
  dead: { object: 'member', means: 'the member is judged dead', of: verdict('dead') },
  recovered: { object: 'member', means: 'its recovery ended with a replacement, which is alive', of: recovered },
  'recovery-ended': {
    object: 'recovery',
    means: 'the recovery (or that of a member) ended, however',
    of: recoveryEnded,
  },
  healthy: { object: 'group', means: 'every member is alive or stopped on purpose, none held', of: healthy },
  leader: { object: null, means: 'somebody leads and has judged', of: leader },
  'nothing-held': { object: null, means: 'no member is held', of: nothingHeld },
  'nothing-open': { object: null, means: 'no recovery is open', of: nothingOpen },
};

/** @throws CONFIG_INVALID when an object is missing, or stands where there is none */
export function conditionOf(name: string, object: string | undefined): Condition {
  const kind = Object.hasOwn(CONDITIONS, name) ? CONDITIONS[name] : undefined;
  if (kind === undefined) throw new OperationError('CONFIG_INVALID', `nothing is called ${name}`);
  if (kind.object === null && object !== undefined)
    throw new OperationError('CONFIG_INVALID', `--for ${name} takes no name, and there is ${object}`);
  if (kind.object !== null && object === undefined)
    throw new OperationError('CONFIG_INVALID', `--for ${name} needs the ${kind.object}`);
  return kind.of(object ?? '');
}
