import { type Asked, type Command, type CommandFacts, type CommandDecision, refused } from './command.ts';
import { drainedAt } from '../policy/drains.ts';
import { unknown } from './drains.ts';

/**
 * How long the others leave the lock to the one that is named. Long enough for one that has seen it
 * fall free to take it; short, because it may have died meanwhile.
 */
export const STAND_BACK_MS = 3_000;

/**
 * The leader resigns once this is written. Open recoveries go on under whoever leads next, named or
 * not.
 */
export function decideTransfer(
  { command: { to } }: Asked<Extract<Command, { kind: 'transfer' }>>,
  facts: CommandFacts,
): CommandDecision {
  const { records, keys, coordinatorId, term, nowWallMs } = facts;
  if (to === coordinatorId)
    return { kind: 'unchanged', text: `${to} leads already`, result: { from: coordinatorId, to } };
  if (to !== null && !records.coordinators.has(to)) return unknown(facts, to);
  const drained = drainedAt(records, nowWallMs);
  if (to !== null && drained.has(to)) return refused('BAD_REQUEST', `${to} is drained: it does not lead`);
  const left = [...records.coordinators.keys()].filter((id) => id !== coordinatorId && !drained.has(id));
  if (left.length === 0) return refused('TOO_FEW_OBSERVERS', 'nobody else is present who could lead');
  const record = { term, to, standBackMs: STAND_BACK_MS };
  return {
    kind: 'change',
    about: to ?? 'whoever is elected',
    text: `${coordinatorId} gives the lead to ${to ?? 'whoever is elected'}`,
    effect: to === null ? {} : { puts: [{ key: keys.transfer, expect: facts.revisionOf(keys.transfer), record }] },
    before: { leader: coordinatorId, term },
    after: { to },
    result: { from: coordinatorId, term, to },
  };
}
