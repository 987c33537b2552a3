import type { EnrolmentsView, HeldView, PausesView, PlanView, UndoPreviewView } from '@understudy/shared/browser';
import { scopeText } from './attention.ts';
import { groupOf } from './fleet.ts';
import { absoluteText, spanText } from './times.ts';

/** What is there now, as a person is shown it before they decide. */
export interface Shown {
  /** In words, a line each. Text from elsewhere is among it. */
  readonly lines: readonly string[];
  /** What makes the command mean exactly what was shown. */
  readonly names: Readonly<Record<string, unknown>>;
  /** Why it cannot be done now. Null: it can be tried. */
  readonly obstacle: string | null;
}

/** Something an operator can do, as the form asks for it and the API takes it. */
export interface Act {
  readonly title: string;
  /** What happens, and what does not, in one or two sentences. */
  readonly says: string;
  readonly button: string;
  /** A name to type before it is sent. Null: the reason is enough. */
  readonly typed: string | null;
  /** It may have an end. */
  readonly hasEnd: boolean;
  readonly path: string;
  /** The group it is about. Null: none in particular. */
  readonly group: string | null;
  /** Looked at first. Null: there is nothing to look at. */
  readonly look: { readonly path: string; readonly shown: (body: unknown) => Shown } | null;
  /** The field that the reason stands in, and whether who asks is named beside it. */
  readonly reasonField: 'reason' | 'why';
  /** The same on a terminal. */
  readonly command: string;
}

/** `global`, `group/db` and `member/db/one` below `/v1`. */
const placeOfScope = (scope: string): string =>
  scope === 'global' ? '/v1' : `/v1/${scope.replace(/^(group|member)\//, '$1s/')}`;

const groupOfScope = (scope: string): string | null => scope.split('/')[1] ?? null;

/** A scope on the command line. */
const scopeWord = (scope: string): string => (scope === 'global' ? 'all' : scope.slice(scope.indexOf('/') + 1));

const BASE = { typed: null, hasEnd: false, look: null, reasonField: 'reason' } as const;

export const pauseAct = (scope: string): Act => ({
  ...BASE,
  title: `Pause ${scopeText(scope)}`,
  says: 'Heartbeats are still watched, and recoveries that run go on. No new recovery begins while it is paused.',
  button: 'Pause',
  hasEnd: true,
  path: `${placeOfScope(scope)}/pause`,
  group: groupOfScope(scope),
  command: `understudy pause ${scopeWord(scope)} --reason TEXT`,
});

const endText = (untilWallMs: number | null): string =>
  untilWallMs === null ? 'until somebody resumes' : `until ${absoluteText(untilWallMs)}`;

/** The pause of this scope, with the revision that means exactly this one. */
function shownPause(scope: string, { pauses }: PausesView): Shown {
  const found = pauses.find((one) => one.scope === scope);
  if (!found) return { lines: [], names: {}, obstacle: `${scopeText(scope)} is not paused any more` };
  const { who, why, untilWallMs, members, revision } = found;
  return {
    lines: [
      `Paused by ${who}: ${why}`,
      `${endText(untilWallMs)}; it holds ${members} ${members === 1 ? 'member' : 'members'}`,
    ],
    names: { revision },
    obstacle: null,
  };
}

export const resumeAct = (scope: string): Act => ({
  ...BASE,
  title: `Resume ${scopeText(scope)}`,
  says: 'Members that are dead by now, and that nothing else holds, are replaced at once.',
  button: 'Resume',
  path: `${placeOfScope(scope)}/resume`,
  group: groupOfScope(scope),
  look: { path: '/v1/pauses', shown: (body) => shownPause(scope, body as PausesView) },
  command: `understudy resume ${scopeWord(scope)} --reason TEXT`,
});

const shownHold = ({ reason, text, revision, releasable }: HeldView): Shown => ({
  lines: [`${reason}: ${text}`],
  names: { revision },
  obstacle: releasable ? null : 'it is held for what is so now, not for what was tried: only its cause can go',
});

export const releaseAct = (member: string): Act => ({
  ...BASE,
  title: `Release the hold of ${member}`,
  says: 'Its recovery is tried again at once. If the cause is still there, it is held again.',
  button: 'Release hold',
  path: `/v1/members/${member}/hold/release`,
  group: groupOf(member),
  look: { path: `/v1/members/${member}/hold`, shown: (body) => shownHold(body as HeldView) },
  command: `understudy hold release ${member} --reason TEXT`,
});

/** The plan, what it loses, and the gates that hold it: those are overridden on a terminal only. */
function shownPlan({ reason, lines, losses, problems, gates, token, expectedMs }: PlanView): Shown {
  const holding = gates.filter(({ passes }) => !passes);
  const [problem] = problems;
  return {
    lines: [
      reason,
      ...lines.map(({ sign, text }) => `${sign} ${text}`.trim()),
      ...losses.map(({ text }) => `lost: ${text}`),
      ...holding.map(({ gate, text }) => `held by ${gate}: ${text}`),
      expectedMs === null
        ? 'how long it takes is not known'
        : `recoveries of the group took ${spanText(expectedMs)} (median)`,
    ],
    names: token === null ? {} : { planToken: token },
    obstacle: problem ? `no plan can be made: ${problem.text}` : null,
  };
}

export const recoverAct = (member: string): Act => ({
  ...BASE,
  title: `Replace ${member}`,
  says: 'Its instance is stopped for good and a new one takes its place, by the plan shown here or not at all.',
  button: 'Replace it',
  typed: member,
  path: `/v1/members/${member}/recover`,
  group: groupOf(member),
  look: { path: `/v1/members/${member}/plan`, shown: (body) => shownPlan(body as PlanView) },
  reasonField: 'why',
  command: `understudy recover ${member} --reason TEXT`,
});

/** Time to type and for the leader to stop it: what is accepted is what was shown, and this. */
const MORE_ACCEPTED_MS = 300_000;
/** The form itself accepts what is lost, so it asks what else is in the way. */
const ANY_LOSS_MS = Number.MAX_SAFE_INTEGER;

/** What is put back, and what that loses: the form accepts so much of it, and no more. */
function shownUndo({ opId, wouldBegin, code, text, undoes, losses, forecast }: UndoPreviewView): Shown {
  const obstacle = wouldBegin ? null : `${code}: ${text}`;
  if (undoes === null) return { lines: [], names: {}, obstacle };
  const { presentInstanceId, retainedInstanceId, lostMs, untilWallMs } = undoes;
  const acceptLossMs = lostMs + MORE_ACCEPTED_MS;
  return {
    lines: [
      `${presentInstanceId} is stopped, and kept; ${retainedInstanceId} serves again`,
      ...losses.map((one) => `lost: ${one.text}`),
      `so far it has served ${spanText(lostMs)}; with this, the writes of up to ${spanText(acceptLossMs)} are given up`,
      ...(forecast === null ? [] : [`serves again after about ${spanText(forecast.servesAfter.typicalMs)}`]),
      untilWallMs === null
        ? 'possible for as long as the instance is kept'
        : `possible until ${absoluteText(untilWallMs)}`,
    ],
    names: { opId, acceptLossMs },
    obstacle,
  };
}

export const undoAct = (member: string): Act => ({
  ...BASE,
  title: `Undo the last recovery of ${member}`,
  says: 'Its retired instance serves again, with its disks as they were when it was stopped. All that was written since is lost.',
  button: 'Give up the writes, and undo it',
  typed: member,
  path: `/v1/members/${member}/undo`,
  group: groupOf(member),
  look: {
    path: `/v1/members/${member}/undo?acceptLossMs=${ANY_LOSS_MS}`,
    shown: (body) => shownUndo(body as UndoPreviewView),
  },
  reasonField: 'why',
  command: `understudy undo ${member} --dry-run`,
});

/** The enrolment of this member, with the revision that means exactly this one. */
function shownEnrolment(member: string, { enrolments }: EnrolmentsView): Shown {
  const found = enrolments.find((one) => one.member === member);
  if (!found) return { lines: [], names: {}, obstacle: `no instance of ${member} was given its key` };
  const { instanceId, address, publicKey, atWallMs, revision } = found;
  return {
    lines: [`${instanceId} was given it at ${address}, ${absoluteText(atWallMs)}, to the public key ${publicKey}…`],
    names: { revision },
    obstacle: null,
  };
}

export const resetEnrolmentAct = (member: string): Act => ({
  ...BASE,
  title: `Let another agent of ${member} ask for its key`,
  says: 'The next agent that asks on its instance is given the key, and the former is refused. Who has the key keeps it: after a theft rotate the master secret.',
  button: 'Forget the enrolment',
  typed: member,
  path: `/v1/enrolments/${member}/reset`,
  group: groupOf(member),
  look: { path: '/v1/enrolments', shown: (body) => shownEnrolment(member, body as EnrolmentsView) },
  command: `understudy enrolments reset ${member} --reason TEXT`,
});

export const memberScope = (member: string): string => `member/${member}`;

/** What a person filled in. */
export interface Answers {
  readonly reason: string;
  /** Null: no end. */
  readonly untilWallMs: number | null;
  readonly who: string;
}

/** The body of the request. */
export const bodyOf = (
  { hasEnd, reasonField }: Act,
  { reason, untilWallMs, who }: Answers,
  names: Shown['names'],
): Readonly<Record<string, unknown>> => ({
  ...names,
  [reasonField]: reason,
  ...(reasonField === 'why' ? { by: who } : {}),
  ...(hasEnd ? { untilWallMs } : {}),
});
