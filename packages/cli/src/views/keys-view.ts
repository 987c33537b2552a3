import ansis from 'ansis';
import type { KeyStatus, Retirement } from '../keys/key-status.ts';
import { tableText } from './format.ts';

const answerLine = ({ id, safe, because }: Retirement): string =>
  safe
    ? ansis.green(`safe to retire id ${id}: yes`)
    : ansis.yellow(`safe to retire id ${id}: no, because ${because.join('; ')}`);

const shownId = (state: number | 'retired' | null | undefined): string =>
  state === null || state === undefined ? '–' : String(state);

/** What `understudy keys status` prints. */
export function keysText(status: KeyStatus): string {
  const names = status.coordinators.map((one) => one.coordinatorId);
  const coordinators = status.coordinators.map(({ coordinatorId, view }) => [
    coordinatorId,
    view === null ? 'no answer' : view.accepted.map(({ id, fingerprint }) => `${id} (${fingerprint})`).join(', '),
    view === null ? '' : String(view.unknownKeyDatagrams),
  ]);
  const members = status.members.map((one) => [
    one.member,
    ...names.map((name) => shownId(one.heard[name])),
    shownId(one.userDataKeyId),
  ]);
  const lines = [
    ...status.problems.map((text) => ansis.red(`problem: ${text}`)),
    ...status.notes.map((text) => ansis.yellow(`note: ${text}`)),
    ...status.retirement.map(answerLine),
  ];
  if (status.retirement.length === 0) lines.push('one key id is in use: there is nothing to retire');
  return [
    tableText(['coordinator', 'accepts id (fingerprint)', 'unknown ids heard'], coordinators),
    tableText(['member speaks to', ...names, 'user data'], members),
    lines.join('\n'),
  ].join('\n\n');
}
