import type { MemberId } from '@understudy/shared';
import type { ScenarioResult } from '../scenario.ts';
import type { SeenRecovery } from './recorder.ts';

export type Expected = Pick<ScenarioResult, 'replaced' | 'abandoned' | 'mended' | 'undone'>;

/**
 * Compares how often a member was recovered in a scenario with its new incarnations and with what
 * the scenario says. An abandoned recovery has no incarnation, and it may occur only where a person
 * asked for it. Returns what is wrong, in words.
 */
export function wrongCounts(
  member: MemberId,
  fresh: readonly SeenRecovery[],
  newIncarnations: number,
  { replaced, abandoned = [], mended = [], undone = [] }: Expected,
): string[] {
  const own = fresh.filter((one) => one.member === member);
  const counted = (outcome: SeenRecovery['outcome']): number => own.filter((one) => one.outcome === outcome).length;
  const [given, kept] = [counted('abandoned'), counted('mended')];
  const recoveries = own.length - given - kept;
  const wrong: string[] = [];
  if (given !== (abandoned.includes(member) ? 1 : 0)) wrong.push(`${given} recoveries of ${member} were abandoned`);
  if (kept !== (mended.includes(member) ? 1 : 0)) wrong.push(`${kept} recoveries of ${member} ended as mended`);
  if (recoveries !== newIncarnations)
    wrong.push(`${member}: ${recoveries} recoveries, but ${newIncarnations} new incarnations`);
  const undos = counted('undone');
  if (undos !== (undone.includes(member) ? 1 : 0)) wrong.push(`${undos} recoveries of ${member} were undone`);
  if (replaced.includes(member) && recoveries - undos !== 1)
    wrong.push(`${member} was replaced ${recoveries - undos} times, not once`);
  return wrong;
}
