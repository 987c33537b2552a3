import { type CloudInstance, TAG } from '@understudy/shared';
import { launchPlanOf } from '../core/launch-plan.ts';
import { addressWanted, mayHaveEnded } from '../core/predecessor.ts';
import type { Call, Frozen, Move } from '../effect.ts';
import type { Run } from '../run.ts';
import { RETIRED_TAGS } from './done-calls.ts';
import type { VACATE } from './vacate-record.ts';

export async function describePredecessor(run: Run, instanceId: string): Promise<CloudInstance | null> {
  const found = await run.read((cloud, options) =>
    cloud.describeInstances({ 'instance-id': [instanceId] }, { ...options, urgency: 'safety' }),
  );
  return found.find((one) => one.instanceId === instanceId) ?? null;
}

/**
 * The address is given up, or the recovery: nothing waits for its end. What was never asked to end
 * is as it was: without the mark of a retired one, and protected. null: it is to end.
 */
export async function calledOff(run: Run, frozen: Frozen<typeof VACATE>): Promise<Move<typeof VACATE> | null> {
  const { request, noted, sends } = frozen;
  if (request.calledOff !== true && addressWanted(launchPlanOf(run.plan)) !== null) return null;
  const may = mayHaveEnded({ sent: sends.terminate ?? 0, refused: noted?.refused ?? [] });
  // **S** (S32) A person who abandons has it seen through: see `ways-out/abandon.ts`.
  if (may) return request.calledOff === true ? null : { kind: 'done', result: { how: 'asked' } };
  return (await putBack(run, frozen)) ?? { kind: 'done', result: { how: 'left' } };
}

/** null: nothing is to be put back, or it is seen to be. */
async function putBack(run: Run, { request, sends }: Frozen<typeof VACATE>): Promise<Move<typeof VACATE> | null> {
  if (sends.retire === undefined && sends.unprotect === undefined) return null;
  const { instanceId } = request;
  const seen = await describePredecessor(run, instanceId);
  if (seen === null) return { kind: 'wait', text: `EC2 does not show ${instanceId}` };
  if (seen.state === 'terminated') return null;
  if (seen.tags[TAG.retiredBy] === run.record.opId)
    return act(unretireCall(instanceId), `taking the mark of a retired instance off ${instanceId}`);
  if (sends.unprotect === undefined) return null;
  const { termination } = await run.read((cloud, options) => cloud.describeProtection(instanceId, options));
  return termination ? null : act(protectAgain(instanceId), `protecting ${instanceId} from termination again`);
}

const act = (call: Call, text: string): Move<typeof VACATE> => ({ kind: 'act', calls: [call], text });

const unretireCall = (instanceId: string): Call => ({
  name: 'unretire',
  run: (cloud, options) => cloud.deleteTags([instanceId], RETIRED_TAGS, options),
});

const protectAgain = (instanceId: string): Call => ({
  name: 'protect',
  run: (cloud, options) => cloud.setProtection(instanceId, { termination: true }, options),
});
