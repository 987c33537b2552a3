import type { Blocker, BlockerKind } from '@understudy/shared';
import { known, type MemberFacts, type ReadinessSource, unknown } from '../facts.ts';
import { REMEDIES } from '../remedies.ts';

/** These let it through by themselves after a while: a recovery would be late, and not refused. */
const PASSING: ReadonlySet<string> = new Set([
  ...['Cooldown', 'BootGrace', 'MaintenanceWindow', 'GroupConcurrency', 'BudgetExhausted', 'RecoveringByEc2'],
]);

function blockerOf(code: string, text: string, stops: boolean, lookedAtWallMs: number): Blocker {
  const kind: BlockerKind = code === 'Paused' ? 'paused' : 'held';
  return { kind, code, text, remedy: REMEDIES[kind], stops, lookedAtWallMs };
}

/** The gates of the guard that would stand in its way, and the hold that it has. */
function blockersOf({ guard, hold, nowWallMs }: MemberFacts): readonly Blocker[] {
  const gates = (guard?.gates ?? []).filter(({ passes }) => !passes);
  const found = gates.map(({ gate, text }) => blockerOf(gate, text, !PASSING.has(gate), nowWallMs));
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
    const text = about.guard.kind === 'go' ? 'nothing would hold its recovery' : about.guard.text;
    return { fact: known('guard', about.nowWallMs, text), blockers };
  },
};
