import type { MemberId } from '@understudy/shared';
import type { CoordinatorHost } from '../cluster/coordinator-host.ts';
import type { Machine } from '../cluster/machine.ts';
import type { SimulatedCluster } from '../cluster/simulated-cluster.ts';
import type { FaultKind, FaultOf } from './fault.ts';

/** A fault that is in force. */
export interface ActiveFault {
  /** Things are as before, as far as this fault is concerned. Idempotent. */
  readonly undo: () => void;
  /**
   * Did it really do something? Asked after {@link undo}. A fault that hit nothing proves nothing.
   */
  readonly happened: () => boolean;
}

export interface InjectionContext {
  readonly cluster: SimulatedCluster;
  /** The member whose recovery triggered it. Null: it comes by the clock. */
  readonly struckMember: MemberId | null;
}

/**
 * `null`: there was nothing to hit (the coordinator is down already, the member has no machine).
 */
export type Injection<K extends FaultKind> = (fault: FaultOf<K>, context: InjectionContext) => ActiveFault | null;
export type InjectionTable<K extends FaultKind> = { readonly [Kind in K]: Injection<Kind> };

export function coordinatorOf({ cluster }: InjectionContext, name: string): CoordinatorHost {
  const found =
    name === 'leader' ? cluster.hosts.find((host) => host.leads) : cluster.hosts.find((host) => host.id === name);
  const first = found ?? cluster.hosts[0];
  if (!first) throw new Error('a cluster without coordinators');
  return first;
}

export function memberOf({ cluster, struckMember }: InjectionContext, name: string): MemberId {
  const byNumber = /^m\d+$/.test(name);
  const named = cluster.members[(byNumber ? Number(name.slice(1)) - 1 : 0) % cluster.members.length];
  const member = byNumber ? named : (struckMember ?? named);
  if (member === undefined) throw new Error('a cluster without members');
  return member;
}

/** The machine that serves the member, or is meant to; or the one that is to replace it. */
export function machineOf(context: InjectionContext, name: string): Machine | undefined {
  const { cluster } = context;
  const member = memberOf(context, name);
  const instanceId =
    (name === 'replacement' ? cluster.replacementOf(member) : null) ?? cluster.activeInstanceOf(member);
  return instanceId === null ? undefined : cluster.machines.of(instanceId);
}

export const azOf = ({ cluster }: InjectionContext, zone: number): string => cluster.cloud.zones[zone] ?? '';

/** Counts what a counter gained while the fault was in force. */
export function gained(read: () => number): () => boolean {
  const before = read();
  return () => read() > before;
}

export const always = (): boolean => true;
export const nothing = (): void => undefined;
