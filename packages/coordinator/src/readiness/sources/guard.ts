import type { Blocker, BlockerKind } from '@understudy/shared';
import { known, type MemberFacts, type ReadinessSource, unknown } from '../facts.ts';
import { REMEDIES } from '../remedies.ts';

/** These let it through by themselves after a while: a recovery would be late, and not refused. */
const PASSING: ReadonlySet<string> = new Set([
  ...['Cooldown', 'BootGrace', 'MaintenanceWindow', 'GroupConcurrency', 'BudgetExhausted', 'RecoveringByEc2'],
]);

/** They are about the fleet: it is not looked at for every member (`understudy simulate` does). */
const OF_FLEET: ReadonlySet<string> = new Set(['MassFailure', 'ZoneFailure']);

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
  return [...found, blockerOf(hold.reason, hold.text, true, nowWallMs)];
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
