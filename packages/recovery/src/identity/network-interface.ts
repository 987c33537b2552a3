import * as z from 'zod';
import {
  durationText,
  type CloudNetworkInterface,
  invariant,
  type PlannedInterface,
  LEVEL_OF,
} from '@understudy/shared';
import { type InterfaceMove, interfaceMove } from '../core/interface-move.ts';
import { unlessEnded } from '../core/predecessor.ts';
import type { Attempt, Call, Frozen, Move } from '../effect.ts';
import { type CallsOf, later, laterCall, type PlannedCall, plannedCall, triedOnInstance } from '../planned-call.ts';
import type { Run } from '../run.ts';
import { replacementOf } from '../steps/activate.ts';
import { LATER_REPLACEMENT } from '../steps/attempt-calls.ts';
import { replacementPlaceOf } from '../steps/replacement-place.ts';
import { giveUpText } from '../give-up.ts';
import { identityMove, type ItemMove } from './identity-move.ts';
import { networkInterfaceWatch } from './network-interface-watch.ts';

export const INTERFACE = {
  name: 'interface',
  per: 'item',
  request: z.strictObject({
    networkInterfaceId: z.string(),
    instanceId: z.string(),
    deviceIndex: z.number().int(),
    networkCardIndex: z.number().int(),
    deleteOnTermination: z.boolean(),
    /** The attachment to a fenced instance that may be removed. Null: none was there. */
    attachmentId: z.string().nullable(),
  }),
  /** A later attachment to a fenced instance, recorded before it is removed. */
  noted: z.strictObject({ attachmentId: z.string().nullable() }),
  /** `lost`: it cannot follow, in words. */
  result: z.union([z.strictObject({ attachmentId: z.string() }), z.strictObject({ lost: z.string() })]),
} as const;

interface Memory {
  attachedAtMs: number | null;
  heldSinceMs: number | null;
  unseenSinceMs: number | null;
}

interface Scene {
  readonly run: Run;
  readonly planned: PlannedInterface;
  readonly memory: Memory;
}

type Seen = CloudNetworkInterface | null;

/**
 * Moves one further network interface whole: read → guarded record of the exact attachment that may
 * go → detach that one → see it free → attach it at the same index → see it there, and give it back
 * its deletion with the instance. No call of it, however late, takes it from somebody else: a
 * detachment names one attachment, and an attachment is refused while there is another.
 */
function networkInterfaceMove(run: Run, networkInterfaceId: string): ItemMove<typeof INTERFACE, Seen> {
  const planned = (run.plan.interfaces ?? []).find((one) => one.networkInterfaceId === networkInterfaceId);
  invariant(planned, `${networkInterfaceId} is not in the plan`);
  const memory: Memory = { attachedAtMs: null, heldSinceMs: null, unseenSinceMs: null };
  const scene: Scene = { run, planned, memory };
  return {
    limitMs: run.policy.recover.launchTimeoutMs,
    floorMs: run.settings.resumeFloorMs + run.settings.lagGraceMs,
    look: () => describe(run, networkInterfaceId),
    request: (seen) => {
      const { deviceIndex, networkCardIndex, deleteOnTermination } = planned;
      const instanceId = replacementOf(run);
      const move = wanted(scene, seen, instanceId, null);
      const attachmentId = move.kind === 'record' ? move.attachmentId : null;
      return { networkInterfaceId, instanceId, deviceIndex, networkCardIndex, deleteOnTermination, attachmentId };
    },
    answered: (frozen, last) => answered(scene, frozen, last),
    next: (frozen, seen) => next(scene, frozen, seen),
    onTimeout: () => ({
      kind: 'hold',
      reason: memory.heldSinceMs === null ? 'CloudUnavailable' : 'AddressHeldElsewhere',
      text: `${networkInterfaceId} was not seen attached to the replacement within ${durationText(run.policy.recover.launchTimeoutMs)}. ${giveUp(scene)}`,
    }),
  };
}

const giveUp = ({ run, planned }: Scene): string => giveUpText(run, `interface:${planned.networkInterfaceId}`);

const wanted = ({ run, planned }: Scene, seen: Seen, instanceId: string, attachmentId: string | null): InterfaceMove =>
  interfaceMove(seen, {
    networkInterfaceId: planned.networkInterfaceId,
    instanceId,
    deleteOnTermination: planned.deleteOnTermination,
    fenced: [run.record.oldInstanceId, ...(planned.owedFrom ?? [])],
    recordedAttachmentId: attachmentId,
  });

async function describe(run: Run, networkInterfaceId: string): Promise<Seen> {
  const filters = { 'network-interface-id': [networkInterfaceId] };
  const found = await run.read((cloud, options) => cloud.describeNetworkInterfaces(filters, options));
  return found.find((one) => one.networkInterfaceId === networkInterfaceId) ?? null;
}

const NOT_FOUND = 'InvalidNetworkInterfaceID.NotFound';

function answered({ run, planned, memory }: Scene, _frozen: Frozen<typeof INTERFACE>, last: Attempt | null) {
  const { name, error } = last ?? {};
  if (name === 'attach' && error === null) memory.attachedAtMs = run.nowMs();
  if (error?.code === 'CLOUD_REJECTED')
    return {
      ...{ kind: 'hold' as const, reason: 'CloudRejected' as const },
      text: `${planned.networkInterfaceId}: ${error.message}. ${giveUp({ run, planned, memory })}`,
    };
  const isGone = memory.unseenSinceMs !== null && run.nowMs() - memory.unseenSinceMs >= run.settings.lagGraceMs;
  if (name === 'attach' && error?.upstreamCode === NOT_FOUND && isGone)
    return { kind: 'done' as const, result: { lost: `${planned.networkInterfaceId} does not exist any more` } };
  return null;
}

function next(scene: Scene, frozen: Frozen<typeof INTERFACE>, seen: Seen): Move<typeof INTERFACE> {
  const { run, planned, memory } = scene;
  const az = zoneOf(run);
  if (az !== planned.az)
    return {
      kind: 'done',
      result: { lost: `${planned.networkInterfaceId} exists in ${planned.az} only, and the replacement is in ${az}` },
    };
  const { attachmentId, instanceId } = frozen.request;
  const move = wanted(scene, seen, instanceId, frozen.noted?.attachmentId ?? attachmentId);
  if (move.kind === 'done') return { kind: 'done', result: { attachmentId: move.attachmentId } };
  const { confirmSpacingMs, lagGraceMs } = run.settings;
  const hasJustAttached = memory.attachedAtMs !== null && run.nowMs() - memory.attachedAtMs < confirmSpacingMs;
  if (hasJustAttached && move.kind !== 'bind')
    return { kind: 'wait', text: `waiting to see ${planned.networkInterfaceId} attached` };
  memory.heldSinceMs = move.kind === 'held' ? (memory.heldSinceMs ?? run.nowMs()) : null;
  memory.unseenSinceMs = move.kind === 'unseen' ? (memory.unseenSinceMs ?? run.nowMs()) : null;
  switch (move.kind) {
    case 'unseen':
      // The call takes it from nobody, and its answer says whether there is such an interface.
      if (run.nowMs() - (memory.unseenSinceMs ?? 0) >= lagGraceMs) return attach(frozen);
      return { kind: 'wait', text: `EC2 does not show ${planned.networkInterfaceId}` };
    case 'between':
      return { kind: 'wait', text: `${planned.networkInterfaceId}: ${move.text}` };
    case 'held':
      if (run.nowMs() - (memory.heldSinceMs ?? 0) < confirmSpacingMs)
        return { kind: 'wait', text: `${move.text}: looking once more`, forMs: confirmSpacingMs };
      return { kind: 'hold', reason: 'AddressHeldElsewhere', text: `${move.text}. ${giveUp(scene)}` };
    case 'record':
      return { kind: 'note', noted: { attachmentId: move.attachmentId } };
    case 'detach':
      return act(`taking ${planned.networkInterfaceId} off the fenced instance`, {
        ...{ name: 'detach', run: (cloud, options) => cloud.detachNetworkInterface(move.attachmentId, options) },
      });
    case 'bind':
      return bind(frozen, move);
    case 'attach':
      return attach(frozen);
  }
}

const act = (text: string, call: Call): Move<typeof INTERFACE> => ({ kind: 'act', text, calls: [call] });

function attach({ request }: Frozen<typeof INTERFACE>): Move<typeof INTERFACE> {
  const { networkInterfaceId, instanceId, deviceIndex, networkCardIndex } = request;
  const wants = { networkInterfaceId, instanceId, deviceIndex, networkCardIndex };
  return act(`attaching ${networkInterfaceId} to the replacement`, {
    name: 'attach',
    run: async (cloud, options) => {
      await cloud.attachNetworkInterface(wants, options);
    },
  });
}

function bind(
  { request: { networkInterfaceId } }: Frozen<typeof INTERFACE>,
  { attachmentId, value }: Extract<InterfaceMove, { kind: 'bind' }>,
): Move<typeof INTERFACE> {
  const attributes = { deleteOnTermination: { attachmentId, value } };
  const text = `saying that ${networkInterfaceId} ${value ? 'goes with' : 'outlives'} the replacement`;
  return act(text, {
    ...{
      name: 'bind',
      run: (cloud, options) => cloud.setNetworkInterfaceAttributes(networkInterfaceId, attributes, options),
    },
  });
}

/** The zone of the replacement. */
const zoneOf = (run: Run): string => replacementPlaceOf(run).az;

/** Tried with the attachment of now, which goes with its instance already. */
function bindCall(networkInterfaceId: string, attachmentId: string | null): PlannedCall {
  const bind =
    (id: string): PlannedCall['send'] =>
    (cloud, options) =>
      cloud.setNetworkInterfaceAttributes(
        networkInterfaceId,
        { deleteOnTermination: { attachmentId: id, value: true } },
        options,
      );
  const call = laterCall('bind', bind(later('the new attachment')), 'it is about the attachment to the replacement');
  if (attachmentId === null) return call;
  return { ...call, trial: { kind: 'with', send: bind(attachmentId), text: 'tried with its attachment of now' } };
}

/** What the move of one interface makes. */
const interfaceCalls: CallsOf = (about) => {
  const {
    intent: { plan },
    key: { item },
  } = about;
  const planned = plan.interfaces?.find((one) => one.networkInterfaceId === item);
  if (!planned) return [];
  const { networkInterfaceId, deviceIndex, networkCardIndex, attachmentId, deleteOnTermination } = planned;
  const wants = { networkInterfaceId, instanceId: LATER_REPLACEMENT, deviceIndex, networkCardIndex };
  const why = 'it is about the replacement, which the recovery makes';
  return [
    ...(attachmentId === null
      ? []
      : [
          plannedCall(
            'detach',
            (cloud, options) => cloud.detachNetworkInterface(attachmentId, options),
            unlessEnded(plan),
          ),
        ]),
    triedOnInstance(
      laterCall('attach', (cloud, options) => cloud.attachNetworkInterface(wants, options), why),
      about,
      (instanceId) => (cloud, options) => cloud.attachNetworkInterface({ ...wants, instanceId }, options),
    ),
    ...(deleteOnTermination ? [bindCall(networkInterfaceId, attachmentId)] : []),
  ];
};

/** Further network interfaces, each with all that is on it. */
export const networkInterface = identityMove(
  INTERFACE,
  (plan) => (plan.interfaces ?? []).map((one) => one.networkInterfaceId),
  networkInterfaceMove,
  interfaceCalls,
  { level: LEVEL_OF.identity, watch: networkInterfaceWatch },
);
