import { agentIdOf, HEARTBEAT_INTERVAL_STEP_MS, instanceHashOf } from '@understudy/shared';
import { MEMBER_FLAG, NONE } from './columns.ts';
import type { Keyring } from './tag-verifier/keyring.ts';
import type { ObserverState } from './observer-state.ts';
import { sameProbes } from './service-state.ts';
import type { WatchedMember } from './types.ts';

const hexWord = (hex: string, word: number): number => Number.parseInt(hex.slice(word * 8, word * 8 + 8), 16);

/**
 * Makes the table watch exactly `roster`. What was heard of members that stay is kept; a member
 * whose activated instance changed is judged anew on the new instance (which may have been heard
 * already).
 */
export function applyRoster(
  state: ObserverState,
  keyring: Keyring,
  roster: readonly WatchedMember[],
  nowMs: number,
): void {
  const { members } = state;
  reserveFor(state, roster.length);
  let membershipChanged = false;
  // The word that ends first ends all of them, until the next roster.
  const forMs = roster.reduce((least, one) => Math.min(least, one.saidLostForMs ?? least), Number.POSITIVE_INFINITY);
  state.saidLostUntilMs = nowMs + forMs;
  for (const watched of roster) {
    let slot = state.slots.get(watched.member);
    if (slot === undefined) {
      slot = enrol(state, keyring, watched, nowMs);
      membershipChanged = true;
    }
    const { marked, saidLost, saidPartlyLost } = MEMBER_FLAG;
    const flags = (members.flags[slot] as number) & ~(saidLost | saidPartlyLost);
    members.flags[slot] = flags | marked | saidFlags(watched);
    updateTimes(state, slot, watched);
    updateKnown(state, slot, watched);
    if (members.activeIds[slot] !== watched.activatedInstanceId) activate(state, slot, watched, nowMs);
    updateServices(state, slot, watched, nowMs);
  }
  for (const [member, slot] of state.slots) {
    const flags = members.flags[slot] as number;
    members.flags[slot] = flags & ~MEMBER_FLAG.marked;
    if ((flags & MEMBER_FLAG.marked) !== 0) continue;
    state.slots.delete(member);
    forget(state, keyring, slot);
    membershipChanged = true;
  }
  if (membershipChanged) state.index.rebuild(members);
}

const saidFlags = ({ saidLostForMs, saidPartlyLost }: WatchedMember): number =>
  saidLostForMs === undefined ? 0 : MEMBER_FLAG.saidLost | (saidPartlyLost ? MEMBER_FLAG.saidPartlyLost : 0);

/** Exact for the first roster, so that 100 000 agents do not pay for doubling. */
function reserveFor(state: ObserverState, memberCount: number): void {
  state.members.reserve(memberCount);
  state.entries.reserve(memberCount);
}

function enrol(state: ObserverState, keyring: Keyring, watched: WatchedMember, nowMs: number): number {
  const { members } = state;
  const slot = members.take();
  keyring.reserve(members.capacity);
  keyring.clear(slot);
  state.slots.set(watched.member, slot);
  members.ids[slot] = watched.member;
  members.activeIds[slot] = null;
  members.agentId.set(Buffer.from(agentIdOf(watched.member), 'hex'), slot * 16);
  members.activeEntry[slot] = NONE;
  members.firstEntry[slot] = NONE;
  members.dueAtMs[slot] = Number.POSITIVE_INFINITY;
  // A leftover `changed` bit would mean the slot is queued already, for its former member.
  members.sinceMs[slot] = nowMs;
  members.verdict[slot] = 0;
  members.reason[slot] = 0;
  state.setVerdict(slot, 'unknown', 'NotActivated', nowMs);
  return slot;
}

function updateTimes(state: ObserverState, slot: number, watched: WatchedMember): void {
  const { members } = state;
  members.heartbeatIntervalSteps[slot] = watched.heartbeatIntervalMs / HEARTBEAT_INTERVAL_STEP_MS;
  if (members.suspectAfterMs[slot] === watched.suspectAfterMs && members.confirmForMs[slot] === watched.confirmForMs)
    return;
  members.suspectAfterMs[slot] = watched.suspectAfterMs;
  members.confirmForMs[slot] = watched.confirmForMs;
  if (members.activeEntry[slot] !== NONE) members.dueAtMs[slot] = 0;
}

/** Another instance, or another list of probes, begins without any past. */
function updateServices(state: ObserverState, slot: number, watched: WatchedMember, nowMs: number): void {
  const { activatedInstanceId: instanceId, serviceProbes: probes, answeredProbesHoldForMs: answeredHoldMs } = watched;
  const before = state.probed.get(slot);
  if (instanceId === null || probes.length === 0) {
    state.dropServices(slot, nowMs);
    return;
  }
  if (before?.instanceId === instanceId && sameProbes(before.probes, probes)) before.answeredHoldMs = answeredHoldMs;
  else state.startServices(slot, { instanceId, probes, answeredHoldMs }, nowMs);
}

function updateKnown(state: ObserverState, slot: number, watched: WatchedMember): void {
  if (watched.knownInstanceIds.length === 0) state.known.delete(slot);
  else state.known.set(slot, new Set(watched.knownInstanceIds.map(instanceHashOf)));
}

function activate(state: ObserverState, slot: number, watched: WatchedMember, nowMs: number): void {
  const { members } = state;
  members.activeIds[slot] = watched.activatedInstanceId;
  state.suspicions.delete(slot);
  members.flags[slot] = (members.flags[slot] as number) & ~MEMBER_FLAG.settled;
  if (watched.activatedInstanceId === null) {
    members.activeEntry[slot] = NONE;
    members.dueAtMs[slot] = Number.POSITIVE_INFINITY;
    state.setVerdict(slot, 'unknown', 'NotActivated', nowMs);
    return;
  }
  const hash = instanceHashOf(watched.activatedInstanceId);
  members.activeHashHi[slot] = hexWord(hash, 0);
  members.activeHashLo[slot] = hexWord(hash, 1);
  members.activeEntry[slot] = state.entryOf(slot, hexWord(hash, 0), hexWord(hash, 1));
  // Judged at the next tick when something was heard of it already.
  members.dueAtMs[slot] = members.activeEntry[slot] === NONE ? Number.POSITIVE_INFINITY : 0;
  state.setVerdict(slot, 'unknown', 'NeverHeard', nowMs);
  state.markChanged(slot);
}

function forget(state: ObserverState, keyring: Keyring, slot: number): void {
  const { members, entries } = state;
  for (let entry = members.firstEntry[slot] as number; entry !== NONE; ) {
    const next = entries.next[entry] as number;
    state.contests.forget(entry);
    entries.release(entry);
    entry = next;
  }
  state.dropServices(slot, 0);
  state.suspicions.delete(slot);
  state.known.delete(slot);
  keyring.clear(slot);
  members.release(slot);
}
