import type { CommandInvocation, CommandState } from '@understudy/shared';
import { redacted } from './redacted.ts';
import { SAID_BYTES_MAX } from './once-script.ts';

/** What each end means. Absent: it has not ended. */
const ENDS: Readonly<Partial<Record<CommandState, string>>> = {
  success: 'it ended well',
  failed: 'it failed',
  'delivery-timed-out': 'its agent was not heard in time (DeliveryTimedOut): it may have run all the same',
  'execution-timed-out': 'it ran longer than it may, says its agent (ExecutionTimedOut)',
  undeliverable: 'it could not be delivered (Undeliverable)',
  terminated: 'Systems Manager gave it up (Terminated)',
  cancelled: 'it was cancelled, which is no promise that it did not run (Cancelled)',
  'invalid-platform': 'the document does not fit the platform (InvalidPlatform)',
  'access-denied': 'Systems Manager denied it (AccessDenied)',
};

export const hasEnded = ({ state }: Pick<CommandInvocation, 'state'>): boolean => ENDS[state] !== undefined;

/** Ended without a word of the script's: sent again under the same id, it still runs only once. */
export const isSilentEnd = ({ state }: Pick<CommandInvocation, 'state'>): boolean =>
  state === 'cancelled' || state === 'undeliverable' || state === 'terminated';

/** Nobody is known to have begun it. */
export const isUnreached = ({ state, hasBegun }: Pick<CommandInvocation, 'state' | 'hasBegun'>): boolean =>
  !hasBegun && ['pending', 'delayed', 'in-progress', 'delivery-timed-out', 'undeliverable'].includes(state);

/** The beginning of what it said, without what looks like a secret. */
export const saidBy = ({ output, errors }: Pick<CommandInvocation, 'output' | 'errors'>): string =>
  redacted(`${output}\n${errors}`.slice(0, SAID_BYTES_MAX));

/** How it ended, in words. Pure. */
export function endText(invocation: CommandInvocation): string {
  const { state, exitCode } = invocation;
  const how = state === 'failed' && exitCode !== null ? `it ended with ${exitCode}` : (ENDS[state] ?? state);
  const said = saidBy(invocation);
  return said === '' ? how : `${how}: ${said}`;
}
