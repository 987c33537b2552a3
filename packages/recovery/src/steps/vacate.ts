import { type CloudInstance, type CloudNetworkInterface, invariant, TAG } from '@understudy/shared';
import { movesItself } from '../core/moved-volumes.ts';
import { type EndMove, endMove, followingAddress } from '../core/predecessor.ts';
import { madeNothing } from '../core/refusals.ts';
import type { Attempt, Call, Frozen, Move, Step } from '../effect.ts';
import { giveUpText } from '../give-up.ts';
import type { Run } from '../run.ts';
import type { RequestOf } from '../step-record.ts';
import { stepKind } from '../step-kind.ts';
import { calledOff, describePredecessor } from './called-off-end.ts';
import { retireTags } from './done-calls.ts';
import { fencedBy } from './fenced-by.ts';
import { unsecured } from './secured.ts';
import { StopsAgain } from './stop-again.ts';
import { vacateCalls } from './vacate-calls.ts';
import { VACATE } from './vacate-record.ts';

type Request = RequestOf<typeof VACATE>;

interface Memory {
  /** When EC2 was last asked by this run to keep what outlives it; a look from before is none. */
  saidAtMs: number | null;
  /** The mark was tried by this run: without it, EC2 says whether the role may end it. */
  marked: boolean;
  /** Number of the newest call that this run has sent. */
  newest: number;
  /** EC2 has said yes to it. */
  taken: boolean;
  askedAtMs: number | null;
  /** Numbers of calls of this run that were certainly refused. */
  readonly refused: Set<number>;
  /** The newest refusal, and whether it is for want of a right. */
  refusal: { readonly reason: 'CloudDenied' | 'CloudRejected'; readonly text: string };
  /** By which it was stopped again. */
  readonly stops: StopsAgain;
  /** Since when EC2 refuses to end it. */
  protectedSinceMs: number | null;
  /** Since when what the replacement is made of is not seen to be there. */
  unsecuredSinceMs: number | null;
  what: string;
}

/**
 * Ends the fenced predecessor, so that its primary private address is free. **S** (S32) Only once
 * the fence was *observed* and all that its successor is made of is recorded and seen to be there;
 * each time only from a look that shows it stopped, with none of the disks that move, and with all
 * that is on it seen to outlive it. It is done once the instance is seen terminated and the
 * interface gone. The call names the predecessor, so one that lands late ends nothing else.
 */
export function vacateStep(run: Run): Step<typeof VACATE> {
  const memory: Memory = {
    ...{ saidAtMs: null, marked: false, newest: 0, taken: false, askedAtMs: null, refused: new Set<number>() },
    refusal: { reason: 'CloudRejected', text: '' },
    stops: new StopsAgain(),
    ...{ protectedSinceMs: null, unsecuredSinceMs: null, what: 'it was not looked at' },
  };
  return {
    limitMs: run.policy.recover.fenceTimeoutMs + run.settings.lagGraceMs,
    floorMs: run.settings.resumeFloorMs + run.settings.lagGraceMs,
    prepare: async () => requestOf(run),
    next: async (frozen, last) => {
      if (last) learn(run, memory, last);
      const move =
        (await denied(run, memory, frozen, last)) ??
        (await calledOff(run, frozen)) ??
        (await next(run, memory, frozen));
      return move.kind === 'done' ? withOpenStop(run, memory, frozen, move) : move;
    },
    onTimeout: ({ request }) => ({
      kind: 'hold',
      reason: 'FenceNotProven',
      text: `${request.instanceId} was not seen terminated, so ${request.address} is not free: ${memory.what}. ${giveUp(run)}`,
    }),
  };
}

/** **S** (S28) Says of what has not ended whether a Stop of this step may land yet. */
async function withOpenStop(
  run: Run,
  { stops }: Memory,
  { request, sends: { stop = 0 } }: Frozen<typeof VACATE>,
  move: Extract<Move<typeof VACATE>, { readonly kind: 'done' }>,
): Promise<Move<typeof VACATE>> {
  if (stop === 0 || move.result.how === 'terminated') return move;
  stops.look((await describePredecessor(run, request.instanceId)) ?? undefined, stop);
  return stops.isOpen(stop) ? { ...move, result: { ...move.result, stopIsOpen: true } } : move;
}

function requestOf(run: Run): Request {
  const following = followingAddress(run.plan);
  const { primaryInterfaceId } = run.plan;
  invariant(following && primaryInterfaceId !== null, 'an end of a predecessor whose address does not follow');
  const { address, subnetId } = following;
  return { instanceId: run.record.oldInstanceId, networkInterfaceId: primaryInterfaceId, address, subnetId };
}

const giveUp = (run: Run): string => giveUpText(run, `primary:${followingAddress(run.plan)?.address ?? ''}`);

function learn(run: Run, memory: Memory, last: Attempt): void {
  const { name, error, outcomes } = last;
  memory.stops.learn(last);
  if (outcomes.some((one) => one.name.startsWith('keep-') || one.name.startsWith('bind-')))
    memory.saidAtMs = run.nowMs();
  if (name === 'retire') memory.marked = true;
  if (name !== 'terminate') return;
  memory.taken = error === null;
  if (error !== null && madeNothing(error)) memory.refused.add(memory.newest);
  else memory.askedAtMs = run.nowMs();
}

/**
 * Termination protection that the plan knows moves to the successor. One that is there all the same
 * is the wish of a person. Written down first that this call has ended nothing. null: not denied.
 */
async function denied(
  run: Run,
  memory: Memory,
  frozen: Frozen<typeof VACATE>,
  last: Attempt | null,
): Promise<Move<typeof VACATE> | null> {
  if (last?.name !== 'terminate' || last.error === null || !isForGood(last.error)) return null;
  const { instanceId } = frozen.request;
  const isProtected = last.error.upstreamCode === PROTECTED;
  const isDenied = last.error.code === 'CLOUD_DENIED' && !isProtected;
  memory.refusal = { reason: isDenied ? 'CloudDenied' : 'CloudRejected', text: last.error.message };
  memory.protectedSinceMs ??= run.nowMs();
  // What was taken off takes effect a little later.
  const isFresh = run.nowMs() - memory.protectedSinceMs < run.settings.lagGraceMs;
  if (isProtected && run.plan.protection.termination && isFresh)
    return wait(memory, `${instanceId} is still protected`, run.settings.confirmSpacingMs);
  const refused = new Set([...(frozen.noted?.refused ?? []), ...memory.refused]);
  if (refused.size > (frozen.noted?.refused ?? []).length)
    return { kind: 'note', noted: { refused: [...refused].sort((a, b) => a - b) } };
  return null;
}

const PROTECTED = 'OperationNotPermitted';

const isForGood = ({ code, upstreamCode }: NonNullable<Attempt['error']>): boolean =>
  upstreamCode === PROTECTED || code === 'CLOUD_DENIED' || code === 'CLOUD_REJECTED';

const saidBy = ({ sends }: Frozen<typeof VACATE>): ReadonlySet<string> =>
  new Set(Object.keys(sends).flatMap((name) => /^(?:keep|bind)-(.+)$/.exec(name)?.[1] ?? []));

async function next(run: Run, memory: Memory, frozen: Frozen<typeof VACATE>): Promise<Move<typeof VACATE>> {
  const { instanceId, networkInterfaceId } = frozen.request;
  const seen = await describePredecessor(run, instanceId);
  memory.stops.look(seen ?? undefined, frozen.sends.stop ?? 0);
  const moving = run.plan.volumes.filter(movesItself).map((one) => one.volumeId);
  const move = endMove(seen, { networkInterfaceId, movingVolumeIds: new Set(moving), said: saidBy(frozen) });
  switch (move.kind) {
    case 'ended':
      return freed(run, memory, frozen.request);
    case 'wait':
      return wait(memory, `${instanceId}: ${move.text}`);
    case 'runs':
      return runs(run, instanceId);
    case 'not-free':
      return hold('VolumeNotFree', `${move.volumeIds.join(', ')} is on ${instanceId} again: it is not ended with it`);
    case 'say':
      return say(run, memory, instanceId, move);
    case 'end':
      return end(run, memory, frozen, seen);
  }
}

type Reason = Extract<Move<typeof VACATE>, { readonly kind: 'hold' }>['reason'];
const hold = (reason: Reason, text: string): Move<typeof VACATE> => ({ kind: 'hold', reason, text });

const act = (calls: readonly [Call, ...Call[]], text: string): Move<typeof VACATE> => ({ kind: 'act', calls, text });

function wait(memory: Memory, text: string, forMs?: number): Move<typeof VACATE> {
  memory.what = text;
  return { kind: 'wait', text, ...(forMs !== undefined && { forMs }) };
}

/**
 * **S** (S28) Started by a call of our own that landed late: it serves nobody, and is stopped
 * again. Started by a person it may have written what no snapshot has.
 */
function runs(run: Run, instanceId: string): Move<typeof VACATE> {
  if (run.plan.startMayLand === true)
    return act([stopCall(instanceId)], 'stopping the old instance again: a late start of ours has landed');
  const text = `${instanceId} runs again: somebody has started it, and what it has written since is not secured. Stop it, or abandon the recovery. ${giveUp(run)}`;
  return hold('FenceNotProven', text);
}

const stopCall = (instanceId: string): Call => ({
  name: 'stop',
  run: (cloud, options) => cloud.stopInstance(instanceId, { force: true, skipOsShutdown: true }, options),
});

const unprotectCall = (instanceId: string): Call => ({
  name: 'unprotect',
  run: (cloud, options) => cloud.setProtection(instanceId, { termination: false }, options),
});

/** A look that may be from before it was said is no reason to say it again at once. */
function say(
  run: Run,
  memory: Memory,
  instanceId: string,
  { deviceNames, interfaces }: Extract<EndMove, { kind: 'say' }>,
): Move<typeof VACATE> {
  const { confirmSpacingMs } = run.settings;
  if (memory.saidAtMs !== null && run.nowMs() - memory.saidAtMs < confirmSpacingMs)
    return wait(memory, `waiting to see what outlives ${instanceId}`, confirmSpacingMs);
  const keep = deviceNames.map(
    (deviceName): Call => ({
      name: `keep-${deviceName}`,
      run: (cloud, options) => cloud.setDeleteOnTermination(instanceId, deviceName, false, options),
    }),
  );
  const bind = interfaces.map(({ networkInterfaceId, attachmentId, goes }): Call => {
    const attributes = { deleteOnTermination: { attachmentId, value: goes } };
    return {
      name: `bind-${networkInterfaceId}`,
      run: (cloud, options) => cloud.setNetworkInterfaceAttributes(networkInterfaceId, attributes, options),
    };
  });
  const [first, ...more] = [...keep, ...bind];
  invariant(first, 'nothing is to be said');
  return act([first, ...more], `saying what outlives ${instanceId}`);
}

/** Everything is as it has to be: asked again only when the first call has shown no effect. */
async function end(
  run: Run,
  memory: Memory,
  frozen: Frozen<typeof VACATE>,
  seen: CloudInstance | null,
): Promise<Move<typeof VACATE>> {
  const { instanceId, address } = frozen.request;
  if (fencedBy(run) === 'lease')
    return hold(
      'FenceNotProven',
      `${instanceId} was not fenced by what was seen of it, its serve lease has run out: it is not ended. ${giveUp(run)}`,
    );
  const missing = await unsecured(run);
  memory.unsecuredSinceMs = missing === null ? null : (memory.unsecuredSinceMs ?? run.nowMs());
  if (missing !== null) return notSecured(run, memory, instanceId, missing);
  if (memory.newest > 0 && frozen.noted?.refused.includes(memory.newest))
    return hold(
      memory.refusal.reason,
      `EC2 does not let us terminate ${instanceId}, so that ${address} is free (${memory.refusal.text}): it is protected since the plan was made, or the role may not. ${giveUp(run)}`,
    );
  if (seen?.tags[TAG.retiredBy] !== run.record.opId && !memory.marked)
    return act([retireCall(run, instanceId)], 'marking the old instance as retired');
  if (run.plan.protection.termination && frozen.sends.unprotect === undefined)
    return act([unprotectCall(instanceId)], 'clearing termination protection');
  if (memory.askedAtMs !== null && run.nowMs() - memory.askedAtMs < run.settings.restopAfterMs)
    return wait(memory, `waiting for ${instanceId} to terminate`);
  return act([terminateCall(memory, instanceId)], `terminating ${instanceId}, whose data is secured`);
}

function notSecured(run: Run, memory: Memory, instanceId: string, missing: string): Move<typeof VACATE> {
  const { confirmSpacingMs } = run.settings;
  if (run.nowMs() - (memory.unsecuredSinceMs ?? run.nowMs()) < confirmSpacingMs)
    return wait(memory, `${missing}: looking once more`, confirmSpacingMs);
  return hold(
    'CaptureFailed',
    `${instanceId} is not ended, because what its successor is made of is not there: ${missing}. ${giveUp(run)}`,
  );
}

const retireCall = (run: Run, instanceId: string): Call => ({
  name: 'retire',
  optional: true,
  run: (cloud, options) => cloud.createTags([instanceId], retireTags(run), options),
});

const terminateCall = (memory: Memory, instanceId: string): Call => ({
  name: 'terminate',
  // What the role may not do is for the step to say, with its way out.
  optional: true,
  run: async (cloud, options, send) => {
    memory.newest = send;
    // One that is sent again has the number of the one that was refused: it may take effect.
    memory.refused.delete(send);
    await cloud.terminateInstance(instanceId, options);
  },
});

/** The interface is gone: nobody has the address now, or whoever has got it since. */
async function freed(
  run: Run,
  memory: Memory,
  { instanceId, networkInterfaceId, address }: Request,
): Promise<Move<typeof VACATE>> {
  const filters = { 'network-interface-id': [networkInterfaceId] };
  const found = await run.read((cloud, options) => cloud.describeNetworkInterfaces(filters, options));
  const left = found.find((one: CloudNetworkInterface) => one.networkInterfaceId === networkInterfaceId);
  if (!left) {
    run.parts.log.info('recovery.predecessor.ended', { instanceId, address });
    return { kind: 'done', result: { how: 'terminated' } };
  }
  memory.what = `${instanceId} is terminated, and ${networkInterfaceId}, which has ${address}, is still there (${left.state}): delete it`;
  return { kind: 'wait', text: memory.what };
}

export const vacateKind = stepKind(VACATE, vacateStep, vacateCalls);
