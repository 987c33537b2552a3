import { HistoryRecordSchema, type MemberId, parseRecord } from '@understudy/shared';
import { ELSEWHERE } from '../cluster/carried-identities.ts';
import { GROUP } from '../cluster/simulated-cluster.ts';
import { type Control, CONTROLS } from './fault.ts';
import {
  always,
  memberOf,
  nothing,
  type Injection,
  type InjectionContext,
  type InjectionTable,
} from './active-fault.ts';

const pause: Injection<'operator-pause'> = (fault, { cluster }) => {
  const scope = fault.scope === 'global' ? 'global' : `group/${GROUP}`;
  const key = cluster.keys.pause(scope);
  const said = fault.says === 'scope' ? scope : fault.scope === 'global' ? 'everything' : 'group';
  cluster.put(key, { scope: said, who: 'simulated operator', why: fault.id, sinceWallMs: 0, untilWallMs: null });
  return { undo: () => cluster.remove(key), happened: always };
};

/**
 * Stops the member's machine on purpose, and starts it again when the fault is over, unless it was
 * replaced meanwhile.
 */
const stop: Injection<'operator-stop'> = (fault, context) => {
  const { cluster } = context;
  const member = memberOf(context, fault.member);
  const instanceId = cluster.activeInstanceOf(member);
  if (instanceId === null) return null;
  cluster.operators.stop(instanceId);
  return {
    undo: () => {
      if (cluster.activeInstanceOf(member) === instanceId) cluster.operators.start(instanceId);
    },
    happened: () => cluster.operators.haveStopped(instanceId),
  };
};

/**
 * What an operator does who thinks that what is held should be tried again: removes every hold
 * there is.
 */
const clearHolds: Injection<'operator-clears-holds'> = (_fault, { cluster }) => {
  const held = cluster.kv.entries(cluster.keys.holds);
  for (const { key } of held) cluster.remove(key);
  return held.length === 0 ? null : { undo: nothing, happened: always };
};

/** Starts a machine that was replaced: it must find out that it is not wanted any more. */
const startOld: Injection<'operator-starts-old'> = (fault, context) => {
  const { cluster } = context;
  const entries = cluster.kv.entries(cluster.keys.historyOf(memberOf(context, fault.member)));
  const old = entries
    .map((entry) => parseRecord(HistoryRecordSchema, entry.key, entry.value))
    // After an abandoned recovery the old instance is the member still.
    .filter((one) => one.outcome === 'replaced')
    .map((one) => one.oldInstanceId)
    .find((instanceId) => cluster.cloud.core.region.instances.get(instanceId)?.state === 'stopped');
  if (old === undefined) return null;
  cluster.operators.start(old);
  return {
    undo: () => cluster.operators.stop(old),
    happened: () => cluster.operators.haveStarted(old),
  };
};

/**
 * Somebody needs the address elsewhere, for a while. What a person has done no recovery may undo.
 */
const moveAddress: Injection<'operator-moves-address'> = (fault, context) => {
  const { cluster } = context;
  const member = memberOf(context, fault.member);
  const allocationId = cluster.addressOf(member);
  if (allocationId === null) return null;
  cluster.operators.borrowAddress(allocationId);
  return {
    undo: () => cluster.operators.returnAddress(allocationId, member),
    happened: () => cluster.operators.haveBorrowed(allocationId),
  };
};

/**
 * The address is gone for good: a loss of whoever had it. While the fault lasts it is tried again
 * where EC2 says no.
 */
const releaseAddress: Injection<'operator-releases-address'> = (fault, context) => {
  const { cluster } = context;
  const allocationId = cluster.addressOf(memberOf(context, fault.member));
  if (allocationId === null || !cluster.addressExists(allocationId)) return null;
  const end = cluster.operators.releaseAddress(allocationId);
  return { undo: end, happened: () => !cluster.addressExists(allocationId) };
};

/** Somebody needs the address elsewhere, for good. */
const keepAddress: Injection<'operator-keeps-address'> = (fault, context) => {
  const { cluster } = context;
  const allocationId = cluster.addressOf(memberOf(context, fault.member));
  if (allocationId === null) return null;
  cluster.operators.keepAddress(allocationId);
  return { undo: nothing, happened: () => cluster.operators.keeps(allocationId) };
};

/**
 * What a person points elsewhere stays there; what they point at the retired instance by mistake is
 * put right, once.
 */
const moveRecord: Injection<'operator-moves-record'> = (fault, context) => {
  const { cluster } = context;
  const { identities } = cluster;
  const member = memberOf(context, fault.member);
  const recordName = identities.recordOf(member);
  if (recordName === null) return null;
  const address = fault.to === 'elsewhere' ? ELSEWHERE : retiredAddress(cluster, member);
  if (address === null) return null;
  identities.pointRecord(recordName, address);
  if (fault.to === 'retired') return { undo: nothing, happened: always };
  return { undo: () => identities.returnRecord(member, cluster.activeInstanceOf(member)), happened: always };
};

/** Null: the member's last predecessor has none any more. */
function retiredAddress(cluster: InjectionContext['cluster'], member: MemberId): string | null {
  const active = cluster.activeInstanceOf(member);
  const last = cluster.kv
    .entries(cluster.keys.historyOf(member))
    .map((entry) => parseRecord(HistoryRecordSchema, entry.key, entry.value))
    .find((one) => one.newInstanceId === active);
  return last === undefined ? null : cluster.identities.addressOf(last.oldInstanceId);
}

/** Somebody takes the key for unused. Everything under it that runs goes on. */
const disableKey: Injection<'operator-disables-key'> = (fault, context) => {
  const { cluster } = context;
  const { kmsKeys } = cluster.cloud.core.region;
  const key = cluster.keyOf(memberOf(context, fault.member));
  if (key === null || kmsKeys.find(key)?.state !== 'Enabled') return null;
  cluster.cloud.changeKmsKey(key, { state: 'Disabled' });
  return { undo: () => void cluster.cloud.changeKmsKey(key, { state: 'Enabled' }), happened: always };
};

const isControl = (command: string): command is Control => (CONTROLS as readonly string[]).includes(command);

/** A person asks for a way out of a recovery, whether it is held or not. */
const command: Injection<'operator-commands'> = (fault, context) => {
  const { cluster } = context;
  const member = memberOf(context, fault.member);
  if (isControl(fault.command)) {
    const asking = cluster.operators.control(member, fault.command);
    return { undo: asking.end, happened: asking.isTaken };
  }
  const loss = fault.command === 'accept-loss' ? lossOf(context, member) : null;
  if (fault.command === 'accept-loss' && loss === null) return null;
  const asking = cluster.operators.command(member, fault.command, loss);
  return { undo: asking.end, happened: asking.isTaken };
};

/** Its address, or a data volume of the plan that is open: what there is to be given up. */
function lossOf({ cluster }: InjectionContext, member: MemberId): string | null {
  const allocationId = cluster.addressOf(member);
  if (allocationId !== null) return `address:${allocationId}`;
  const volume = cluster.openPlanOf(member)?.volumes.find((one) => !one.isRoot);
  return volume ? `volume:${volume.volumeId}` : null;
}

export const OPERATOR_INJECTIONS: InjectionTable<
  | 'operator-pause'
  | 'operator-stop'
  | 'operator-clears-holds'
  | 'operator-starts-old'
  | 'operator-moves-address'
  | 'operator-moves-record'
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
  'operator-moves-record': moveRecord,
  'operator-releases-address': releaseAddress,
  'operator-keeps-address': keepAddress,
  'operator-commands': command,
  'operator-disables-key': disableKey,
};
