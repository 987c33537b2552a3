import { clientTokenOf, errorText, isOperationError, TAG } from '@understudy/shared';
import { findLaunched, type LaunchFinding } from '../core/launch-outcome.ts';
import type { Move } from '../effect.ts';
import type { Run } from '../run.ts';

/**
 * What was found; a look that is not whole is an error, so that it is counted, shown and repeated
 * as one.
 */
export type WholeFinding = Exclude<LaunchFinding, { readonly kind: 'unread' }>;

const answerOf = <T>(result: PromiseSettledResult<T>): T | null =>
  result.status === 'fulfilled' ? result.value : null;

/**
 * Three independent reads of what attempt n launched, each weighed by itself: what one shows is not
 * hidden by the failure of another.
 * @throws what the first failed read threw, when none that was read shows the launch.
 */
export async function lookForLaunch(run: Run, attempt: number, networkInterfaceId: string): Promise<WholeFinding> {
  const clientToken = clientTokenOf(run.record.oldInstanceId, 'launch', attempt, run.record.ordinal);
  const tagFilters = { [`tag:${TAG.op}`]: [run.record.opId], [`tag:${TAG.attempt}`]: [String(attempt)] };
  const reads = await Promise.allSettled([
    run.read((cloud, options) => cloud.describeInstances({ 'client-token': [clientToken] }, options)),
    run.read((cloud, options) => cloud.describeInstances(tagFilters, options)),
    run.read((cloud, options) =>
      cloud.describeNetworkInterfaces({ 'network-interface-id': [networkInterfaceId] }, options),
    ),
  ]);
  run.signal.throwIfAborted();
  const broken = reads.find((one) => one.status === 'rejected' && !isOperationError(one.reason));
  if (broken?.status === 'rejected') throw broken.reason;
  const [byToken, byTags, permits] = reads;
  const holders = answerOf(permits)?.flatMap((one) => one.attachedInstanceId ?? []) ?? null;
  const seen = { byToken: answerOf(byToken), byTags: answerOf(byTags), permitHolders: holders };
  const finding = findLaunched(seen, clientToken, networkInterfaceId);
  const [failure] = reads.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []));
  if (finding.kind === 'unread') throw failure;
  if (failure !== undefined)
    run.parts.log.info('recovery.launch_found_in_part', {
      attempt,
      finding: finding.kind,
      error: errorText(failure),
    });
  return finding;
}

export const severalFound = (instanceIds: readonly string[]): Move<never> => ({
  kind: 'hold',
  reason: 'TwoInstancesClaimMember',
  text: `one launch attempt shows several instances: ${instanceIds.join(', ')}`,
});
