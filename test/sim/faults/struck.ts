import type { MemberId } from '@understudy/shared';
import type { CoordinatorHost } from '../cluster/coordinator-host.ts';
import type { Machine } from '../cluster/machine.ts';
import type { World } from '../cluster/world.ts';
import type { FaultKind, FaultOf } from './fault.ts';

/** A fault that is in force. */
export interface Struck {
  /** Things are as before, as far as this fault is concerned. Idempotent. */
  readonly undo: () => void;
  /** Did it really do something? Asked after {@link undo}. A fault that hit nothing proves nothing. */
  readonly happened: () => boolean;
}

export interface StrikeContext {
  readonly world: World;
  /** Whose recovery triggered it; null for a fault that strikes by the clock. */
  readonly struckMember: MemberId | null;
}

/** `null`: there was nothing to hit (the coordinator is down already, the member has no machine). */
export type Strike<K extends FaultKind> = (fault: FaultOf<K>, context: StrikeContext) => Struck | null;
export type StrikeTable<K extends FaultKind> = { readonly [Kind in K]: Strike<Kind> };

export function coordinatorOf({ world }: StrikeContext, name: string): CoordinatorHost {
  const found =
    name === 'leader' ? world.hosts.find((host) => host.leads) : world.hosts.find((host) => host.id === name);
  const first = found ?? world.hosts[0];
  if (!first) throw new Error('a world without coordinators');
  return first;
}

export function memberOf({ world, struckMember }: StrikeContext, name: string): MemberId {
  const byNumber = /^m\d+$/.test(name);
  const named = world.members[(byNumber ? Number(name.slice(1)) - 1 : 0) % world.members.length];
  const member = byNumber ? named : (struckMember ?? named);
  if (member === undefined) throw new Error('a world without members');
  return member;
}

/** The machine that serves the member, or is meant to; or the one that is to replace it. */
export function machineOf(context: StrikeContext, name: string): Machine | undefined {
  const { world } = context;
  const member = memberOf(context, name);
  const instanceId = (name === 'replacement' ? world.replacementOf(member) : null) ?? world.activeInstanceOf(member);
  return instanceId === null ? undefined : world.machines.of(instanceId);
}

export const azOf = ({ world }: StrikeContext, zone: number): string => world.cloud.zones[zone] ?? '';

/** Counts what a counter gained while the fault was in force. */
export function gained(read: () => number): () => boolean {
  const before = read();
  return () => read() > before;
}

export const always = (): boolean => true;
export const nothing = (): void => undefined;
