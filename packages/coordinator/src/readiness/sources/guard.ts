import type { Blocker, BlockerKind, ReadinessView } from '@understudy/shared';
import type { GuardAnswer } from '../../judge/guard-input.ts';
import { known, type MemberFacts, type ReadinessSource, unknown } from '../facts.ts';
import { REMEDIES } from '../remedies.ts';

/** These let it through by themselves after a while: a recovery would be late, and not refused. */
const PASSING: ReadonlySet<string> = new Set([
  ...['Cooldown', 'BootGrace', 'MaintenanceWindow', 'GroupConcurrency', 'RecoveringByEc2'],
]);

/**
 * The fleet's budget says the same of every member, and soon lets it through again: it is told once
 * (`fleetWaits`), and changes nobody's readiness.
 */
const OF_EVERYBODY = 'BudgetExhausted';

/** They are about the fleet: it is not looked at for every member (`understudy simulate` does). */
const OF_FLEET: ReadonlySet<string> = new Set(['MassFailure', 'ZoneFailure', OF_EVERYBODY]);

const refusing = ({ guard }: Pick<MemberFacts, 'guard'>) =>
  (guard?.gates ?? []).filter(({ gate, passes }) => !passes && !OF_FLEET.has(gate));

function blockerOf(code: string, text: string, stops: boolean, lookedAtWallMs: number): Blocker {
  const kind: BlockerKind = code === 'Paused' ? 'paused' : 'held';
  return { kind, code, text, remedy: REMEDIES[kind], stops, lookedAtWallMs };
}

/** The gates of the guard that would stand in its way, and the hold that it has. */
function blockersOf({ guard, hold, nowWallMs }: MemberFacts): readonly Blocker[] {
  const found = refusing({ guard }).map(({ gate, text }) => blockerOf(gate, text, !PASSING.has(gate), nowWallMs));
  if (hold === null || found.some(({ code }) => code === hold.reason)) return found;
  return [...found, blockerOf(hold.reason, hold.text, hold.reason !== OF_EVERYBODY, nowWallMs)];
}

/** What the guard would say if this member, and no other, failed now. */
export const guardSource: ReadinessSource = {
  name: 'guard',
  look(about) {
    if (about.isRecovering) return null;
    const blockers = blockersOf(about);
    if (about.guard === null) return { fact: unknown('guard', 'it is not judged yet'), blockers };
    const text = refusing(about)[0]?.text ?? 'nothing of its own would hold its recovery';
    return { fact: known('guard', about.nowWallMs, text), blockers };
  },
};

/** What would keep a recovery of any member waiting now, by what the guard says of some of them. */
export function fleetWaits(answers: Iterable<GuardAnswer>): ReadinessView['ofFleet'] {
  for (const { gates } of answers) {
    const found = gates.find(({ gate, passes }) => gate === OF_EVERYBODY && !passes);
    if (found) return [{ code: found.gate, text: found.text, untilWallMs: found.untilWallMs }];
  }
  return [];
}
