import type { MemberId } from '@understudy/shared';
import type { ScenarioResult } from '../scenario.ts';
import type { SeenRecovery } from './recorder.ts';

export type Expected = Pick<ScenarioResult, 'replaced' | 'abandoned' | 'undone'>;

/**
 * Compares how often a member was recovered in a scenario with its new incarnations and with what
 * the scenario says. An abandoned recovery has no incarnation, and it may occur only where a person
 * asked for it. Returns what is wrong, in words.
 */
export function wrongCounts(
  member: MemberId,
  fresh: readonly SeenRecovery[],
  newIncarnations: number,
  { replaced, abandoned = [], undone = [] }: Expected,
): string[] {
  const own = fresh.filter((one) => one.member === member);
  const recoveries = own.filter((one) => one.outcome !== 'abandoned').length;
  const given = own.length - recoveries;
  const wrong: string[] = [];
  if (given !== (abandoned.includes(member) ? 1 : 0)) wrong.push(`${given} recoveries of ${member} were abandoned`);
  if (recoveries !== newIncarnations)
    wrong.push(`${member}: ${recoveries} recoveries, but ${newIncarnations} new incarnations`);
  const undos = own.filter((one) => one.outcome === 'undone').length;
  if (undos !== (undone.includes(member) ? 1 : 0)) wrong.push(`${undos} recoveries of ${member} were undone`);
  if (replaced.includes(member) && recoveries - undos !== 1)
    wrong.push(`${member} was replaced ${recoveries - undos} times, not once`);
  return wrong;
}
