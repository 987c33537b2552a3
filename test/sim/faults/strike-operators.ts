import { HistoryRecordSchema, type MemberId, parseRecord } from '@understudy/shared';
import { GROUP } from '../cluster/world.ts';
import { always, memberOf, nothing, type Strike, type StrikeContext, type StrikeTable } from './struck.ts';

const pause: Strike<'operator-pause'> = (fault, { world }) => {
  const scope = fault.scope === 'global' ? 'global' : `group/${GROUP}`;
  const key = world.keys.pause(scope);
  const said = fault.says === 'scope' ? scope : fault.scope === 'global' ? 'everything' : 'group';
  world.put(key, { scope: said, who: 'simulated operator', why: fault.id, sinceWallMs: 0, untilWallMs: null });
  return { undo: () => world.remove(key), happened: always };
};

/** Stops the member's machine on purpose, and starts it again when the fault is over, unless it was replaced meanwhile. */
const stop: Strike<'operator-stop'> = (fault, context) => {
  const { world } = context;
  const member = memberOf(context, fault.member);
  const instanceId = world.activeInstanceOf(member);
  if (instanceId === null) return null;
  world.operators.stop(instanceId);
  return {
    undo: () => {
      if (world.activeInstanceOf(member) === instanceId) world.operators.start(instanceId);
    },
    happened: () => world.operators.haveStopped(instanceId),
  };
};

/** What an operator does who thinks that what is held should be tried again: removes every hold there is. */
const clearHolds: Strike<'operator-clears-holds'> = (_fault, { world }) => {
  const held = world.kv.entries(world.keys.holds);
  for (const { key } of held) world.remove(key);
  return held.length === 0 ? null : { undo: nothing, happened: always };
};

/** Starts a machine that was replaced: it must find out that it is not wanted any more. */
const startOld: Strike<'operator-starts-old'> = (fault, context) => {
  const { world } = context;
  const entries = world.kv.entries(world.keys.historyOf(memberOf(context, fault.member)));
  const old = entries
    .map((entry) => parseRecord(HistoryRecordSchema, entry.key, entry.value))
    // Whose recovery was abandoned is the member still.
    .filter((one) => one.outcome === 'replaced')
    .map((one) => one.oldInstanceId)
    .find((instanceId) => world.cloud.core.region.instances.get(instanceId)?.state === 'stopped');
  if (old === undefined) return null;
  world.operators.start(old);
  return {
    undo: () => world.operators.stop(old),
    happened: () => world.operators.haveStarted(old),
  };
};

/** Somebody needs the address elsewhere, for a while. What a person has done no recovery may undo. */
const moveAddress: Strike<'operator-moves-address'> = (fault, context) => {
  const { world } = context;
  const member = memberOf(context, fault.member);
  const allocationId = world.addressOf(member);
  if (allocationId === null) return null;
  world.operators.borrowAddress(allocationId);
  return {
    undo: () => world.operators.returnAddress(allocationId, member),
    happened: () => world.operators.haveBorrowed(allocationId),
  };
};

/** The address is gone for good: a loss of whoever had it. While the fault lasts it is tried again where EC2 says no. */
const releaseAddress: Strike<'operator-releases-address'> = (fault, context) => {
  const { world } = context;
  const allocationId = world.addressOf(memberOf(context, fault.member));
  if (allocationId === null || !world.addressExists(allocationId)) return null;
  const end = world.operators.releaseAddress(allocationId);
  return { undo: end, happened: () => !world.addressExists(allocationId) };
};

/** Somebody needs the address elsewhere, for good. */
const keepAddress: Strike<'operator-keeps-address'> = (fault, context) => {
  const { world } = context;
  const allocationId = world.addressOf(memberOf(context, fault.member));
  if (allocationId === null) return null;
  world.operators.keepAddress(allocationId);
  return { undo: nothing, happened: () => world.operators.keeps(allocationId) };
};

/** Somebody takes the key for unused. Everything under it that runs goes on. */
const disableKey: Strike<'operator-disables-key'> = (fault, context) => {
  const { world } = context;
  const { kmsKeys } = world.cloud.core.region;
  const key = world.keyOf(memberOf(context, fault.member));
  if (key === null || kmsKeys.find(key)?.state !== 'Enabled') return null;
  world.cloud.changeKmsKey(key, { state: 'Disabled' });
  return { undo: () => void world.cloud.changeKmsKey(key, { state: 'Enabled' }), happened: always };
};

/** A person asks for a way out of a recovery, whether it is held or not. */
const command: Strike<'operator-commands'> = (fault, context) => {
  const { world } = context;
  const member = memberOf(context, fault.member);
  const loss = fault.command === 'accept-loss' ? lossOf(context, member) : null;
  if (fault.command === 'accept-loss' && loss === null) return null;
  const asking = world.operators.command(member, fault.command, loss);
  return { undo: asking.end, happened: asking.isTaken };
};

/** Its address, or a data volume of the plan that is open: what there is to be given up. */
function lossOf({ world }: StrikeContext, member: MemberId): string | null {
  const allocationId = world.addressOf(member);
  if (allocationId !== null) return `address:${allocationId}`;
  const volume = world.openPlanOf(member)?.volumes.find((one) => !one.isRoot);
  return volume ? `volume:${volume.volumeId}` : null;
}

export const OPERATOR_STRIKES: StrikeTable<
  | 'operator-pause'
  | 'operator-stop'
  | 'operator-clears-holds'
  | 'operator-starts-old'
  | 'operator-moves-address'
  | 'operator-releases-address'
  | 'operator-keeps-address'
  | 'operator-commands'
  | 'operator-disables-key'
> = {
  'operator-pause': pause,
  'operator-stop': stop,
  'operator-clears-holds': clearHolds,
  'operator-starts-old': startOld,
  'operator-moves-address': moveAddress,
  'operator-releases-address': releaseAddress,
  'operator-keeps-address': keepAddress,
  'operator-commands': command,
  'operator-disables-key': disableKey,
};
