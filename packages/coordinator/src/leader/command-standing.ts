import type { Asked, RecoveryCommand } from '../commands/command.ts';
import type { Standing } from '../commands/recoveries.ts';
import type { Assessor } from './assessor.ts';
import type { RecoveryDecider } from './decider.ts';

/** What this leader thinks of the member now, with the gates as the command would override them. */
export function standingOf(
  assessor: Assessor,
  decider: RecoveryDecider,
  { member, overrides }: RecoveryCommand,
  { caller, reason }: Asked,
): Standing | null {
  const judgement = assessor.look(member);
  if (!judgement) return null;
  const { reasonCode, act, reason: text } = judgement.assessment;
  const { gates } = decider.askIf(judgement, { gates: overrides, by: caller.identity, why: reason });
  return { reasonCode, act, reason: text, gates };
}
