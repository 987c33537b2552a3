import { unreachable } from '@understudy/shared';
import { decideAcknowledge } from './acknowledge.ts';
import type { Asked, CommandDecision, CommandFacts, RecoveryCommand } from './command.ts';
import { decideDrain, decideUndrain } from './drains.ts';
import { decideNotice } from './notices.ts';
import { decidePause, decideResume } from './pauses.ts';
import { decideApply, decideReset } from './policies.ts';
import { decideRecovery, type Standing } from './recoveries.ts';
import { decideReleaseHold } from './release-hold.ts';
import { decideResetEnrolment } from './reset-enrolment.ts';
import { decideTransfer } from './transfer.ts';

/**
 * What a command comes to, on one snapshot. Pure; the transaction that carries it out compares
 * every record that this looked at.
 */
export function decideCommand(
  asked: Asked,
  facts: CommandFacts,
  standingOf: (command: RecoveryCommand) => Standing | null,
): CommandDecision {
  const { command } = asked;
  switch (command.kind) {
    case 'pause':
      return decidePause({ ...asked, command }, facts);
    case 'resume':
      return decideResume({ ...asked, command }, facts);
    case 'release-hold':
      return decideReleaseHold({ ...asked, command }, facts);
    case 'acknowledge':
      return decideAcknowledge({ ...asked, command }, facts);
    case 'apply-policies':
      return decideApply({ ...asked, command }, facts);
    case 'reset-policy':
      return decideReset({ ...asked, command }, facts);
    case 'transfer':
      return decideTransfer({ ...asked, command }, facts);
    case 'drain':
      return decideDrain({ ...asked, command }, facts);
    case 'undrain':
      return decideUndrain({ ...asked, command }, facts);
    case 'resend-notice':
    case 'drop-notice':
      return decideNotice({ ...asked, command }, facts);
    case 'reset-enrolment':
      return decideResetEnrolment({ ...asked, command }, facts);
    case 'retry':
    case 'replan':
    case 'accept-loss':
    case 'abandon':
    case 'recover':
    case 'undo':
      return decideRecovery({ ...asked, command }, facts, standingOf);
    default:
      return unreachable(command);
  }
}
