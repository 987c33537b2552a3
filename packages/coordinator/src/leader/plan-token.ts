import { createHash } from 'node:crypto';
import type { RecoveryPlan } from '@understudy/shared';

/** Characters of a token. It tells plans of one member apart, and is typed by people. */
const TOKEN_CHARACTERS = 16;

/**
 * Names this very plan of this very recovery, and tells nothing of it: a plan holds the agent's
 * key. Two plans by which the same is done have one token, whatever is said of ways not taken.
 */
export function planToken(opId: string, activationModRevision: number, plan: RecoveryPlan): string {
  const text = JSON.stringify([opId, activationModRevision, withoutReasons(plan)]);
  return createHash('sha256').update(text, 'utf8').digest('hex').slice(0, TOKEN_CHARACTERS);
}

/** Reasons age (`3 h old`), and change nothing of what will be done. */
const withoutReasons = ({ ladder: _, volumes, ...plan }: RecoveryPlan): object => ({
  ...plan,
  volumes: volumes.map(({ choice: __, ...volume }) => volume),
});
