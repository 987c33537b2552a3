import type { CloudInstance, RecoveryPlan } from '@understudy/shared';

type Seen = Pick<CloudInstance, 'state' | 'stateReasonCode'>;

/** What one leader knows of the Stops that all leaders of a recovery have sent. */
export interface StopsSeen {
  /** Stops that were sent, or were about to be, by all leaders. */
  readonly sent: number;
  /** Stops of this leader that EC2 has answered. */
  readonly answered: number;
  /** EC2 has said yes to one of them. */
  readonly taken: boolean;
  /** See {@link hasLanded}. */
  readonly landedBefore: boolean;
  /** What EC2 shows of the instance in the end. */
  readonly seen: Seen;
}

/** By a call, and not by EC2 or by the system of the instance (EC2 API, StateReason). */
const BY_A_CALL = 'Client.UserInitiatedShutdown';

/**
 * True when the look shows a stop that a leader before this one has asked for, because this one has
 * asked for none yet. An instance that was down as the recovery began shows an earlier stop once it
 * is at rest.
 */
export const hasLanded = ({ state, stateReasonCode }: Seen, wasDown: boolean): boolean =>
  stateReasonCode === BY_A_CALL && (state === 'stopping' || (state === 'stopped' && !wasDown));

/** Plans that every build reads do not say it. */
export const mayHaveBeenDown = ({ wasDown, strategy }: Pick<RecoveryPlan, 'wasDown' | 'strategy'>): boolean =>
  wasDown === true || strategy === 'snapshot-and-replace';

/**
 * **S** (S28) May a Stop land yet? Every one does that has no answer, except one whose effect was
 * seen: it was seen before this leader sent any, or no other than those without an answer can have
 * had it. What counts as open without need would have an operator's own stop taken for ours.
 */
export function isStopOpen({ sent, answered, taken, landedBefore, seen }: StopsSeen, wasDown: boolean): boolean {
  const landed = landedBefore || (!taken && hasLanded(seen, wasDown));
  return sent - answered > (landed ? 1 : 0);
}
