import {
  isReattach,
  type LaunchPlan,
  type PreparedKind,
  type ReattachPlan,
  type RecoveryPlan,
} from '@understudy/shared';
import { launchPlan } from './launch-plan.ts';
import { placesToAsk } from './places-to-reserve.ts';
import { followingAddress } from './predecessor.ts';
import { buildLaunchRequest, buildPermitRequest, type RequestIntent } from './launch-request.ts';

/** Volume paths whose disks are put on the stopped seed, so that no launch makes them. */
const PUT_ON: ReadonlySet<string> = new Set(['reattach', 'copy']);

/** What can be made beforehand of what the policy wants, for a recovery by this plan. */
export function preparable(plan: RecoveryPlan, wanted: readonly PreparedKind[]): readonly PreparedKind[] {
  const pathOf = ({ path = 'snapshot' }: { readonly path?: string | undefined }) => path;
  const isShared = plan.volumes.some((one) => pathOf(one) === 'multi-attach');
  const captures = plan.volumes.some((one) => pathOf(one) === 'snapshot');
  const isSeeded = isReattach(plan) && plan.volumes.every((one) => PUT_ON.has(pathOf(one)));
  const launching = launchPlan(plan);
  return wanted.filter((kind) => {
    // A seed that is launched has its place, and shows that there is one.
    if (kind === 'capacity')
      return !(isSeeded && wanted.includes('seed')) && launching !== null && placesToAsk(launching).places.length > 0;
    // **S** (S32) Its permit has the address of the predecessor, which has not ended.
    if (kind === 'seed' && followingAddress(plan)) return false;
    // A volume that several write to is not copied, not even for this (S29).
    if (kind === 'snapshot') return captures && !isShared && plan.strategy === 'snapshot-and-replace';
    return isSeeded;
  });
}

/** The plan, launched while the member is only suspect. */
export const inQuarantine = (plan: RecoveryPlan): RecoveryPlan =>
  isReattach(plan) ? { ...plan, seed: { ...plan.seed, inQuarantine: true } } : plan;

type Named = Omit<RequestIntent<LaunchPlan>, 'plan'>;

/** What attempt 1 sends by this plan, but for the id of the permit that it makes. */
function launchOf(named: Named, plan: ReattachPlan): string | null {
  const [candidate] = plan.candidates;
  if (!candidate) return null;
  const about = { intent: { ...named, plan }, attempt: 1, candidate };
  const parts = { networkInterfaceId: 'eni', imageId: plan.seed.imageId, snapshotIdsByVolume: {} };
  return JSON.stringify([buildPermitRequest(about), buildLaunchRequest({ ...about, ...parts }), candidate]);
}

/**
 * **S** (S6, S31) The plan that goes on with what was made; null: it would have sent something
 * else, so what was made is not its own. Pure.
 */
export function takenOver(
  prepared: Named & { readonly plan: RecoveryPlan; readonly makes: readonly PreparedKind[] },
  fresh: RecoveryPlan,
): RecoveryPlan | null {
  // What launches nothing would not give the place back.
  if (prepared.makes.includes('capacity') && launchPlan(fresh) === null) return null;
  if (!prepared.makes.includes('seed')) return fresh;
  const plan = inQuarantine(fresh);
  if (!isReattach(plan) || !isReattach(prepared.plan) || preparable(fresh, ['seed']).length === 0) return null;
  const [own, asMade] = [launchOf(prepared, plan), launchOf(prepared, prepared.plan)];
  return own !== null && own === asMade ? plan : null;
}
