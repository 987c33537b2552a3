import { LADDER_RUNGS, LEVEL_OF } from '@understudy/shared';
import type { WrittenPolicy } from './policy-files.ts';

type Written = Readonly<Record<string, unknown>>;

const isSection = (value: unknown): value is Written =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const recoverOf = ({ recover }: Written): Written => (isSection(recover) ? recover : {});
const namesNoWay = (policy: Written): boolean =>
  recoverOf(policy)['ladder'] === undefined && recoverOf(policy)['strategy'] === undefined;

/**
 * The policy with the default ladder written out, where it names no way back (decision 0072). What
 * is stored for the group and names none stays so: that its machines come back another way is for a
 * person to say. `stored` null: there is no policy of it yet. Pure.
 */
export function withDefaultLadder(written: WrittenPolicy, stored: Written | null, levelInForce: number): WrittenPolicy {
  const { policy } = written;
  const keepsOneWay = stored !== null && namesNoWay(stored);
  if (levelInForce < LEVEL_OF.ladder || keepsOneWay || !namesNoWay(policy)) return written;
  const recover = { ...recoverOf(policy), ladder: { rungs: [...LADDER_RUNGS] } };
  return { ...written, policy: { ...policy, recover } };
}
