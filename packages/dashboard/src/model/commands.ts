import { groupOf } from './fleet.ts';
import { scopeText } from './attention.ts';

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
  readonly method: 'POST' | 'DELETE';
  readonly path: string;
  /** The group it is about. Null: none in particular. */
  readonly group: string | null;
  readonly fixed: Readonly<Record<string, unknown>>;
  /** The same on a terminal. */
  readonly command: string;
}

const groupOfScope = (scope: string): string | null => scope.split('/')[1] ?? null;

const scopePath = (scope: string): string => scope.split('/').map(encodeURIComponent).join('/');

/** `everything`, `group db`, `member db/one` as options of the command line. */
const scopeOption = (scope: string): string => {
  if (scope === 'global') return '--all';
  const slash = scope.indexOf('/');
  return `--${scope.slice(0, slash)} ${scope.slice(slash + 1)}`;
};

export const pauseAct = (scope: string): Act => ({
  title: `Pause ${scopeText(scope)}`,
  says: 'Heartbeats are still watched, and recoveries that run go on. No new recovery begins while it is paused.',
  button: 'Pause',
  typed: null,
  hasEnd: true,
  method: 'POST',
  path: '/v1/pauses',
  group: groupOfScope(scope),
  fixed: { scope },
  command: `understudy pause ${scopeOption(scope)} --reason TEXT`,
});

export const resumeAct = (scope: string): Act => ({
  title: `Resume ${scopeText(scope)}`,
  says: 'Members that are dead by now, and that nothing else holds, are replaced at once.',
  button: 'Resume',
  typed: null,
  hasEnd: false,
  method: 'DELETE',
  path: `/v1/pauses/${scopePath(scope)}`,
  group: groupOfScope(scope),
  fixed: {},
  command: `understudy resume ${scopeOption(scope)} --reason TEXT`,
});

export const releaseAct = (member: string, reason: string): Act => ({
  title: `Release the hold of ${member}`,
  says: `The hold (${reason}) is taken away once. If its cause is still there, the member is held again.`,
  button: 'Release hold',
  typed: null,
  hasEnd: false,
  method: 'POST',
  path: `/v1/members/${member}/release`,
  group: groupOf(member),
  fixed: {},
  command: `understudy hold release ${member} --reason TEXT`,
});

export const recoverAct = (member: string, verdict: string): Act => ({
  title: `Replace ${member}`,
  says: `Its instance is stopped for good and a new one takes its place. It is ${verdict} now. Every gate of the guard is asked as ever.`,
  button: 'Replace it',
  typed: member,
  hasEnd: false,
  method: 'POST',
  path: `/v1/members/${member}/recover`,
  group: groupOf(member),
  fixed: {},
  command: `understudy recover ${member} --why TEXT`,
});

export const memberScope = (member: string): string => `member/${member}`;
