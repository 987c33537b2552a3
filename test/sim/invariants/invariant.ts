import type { KvWrite } from '@understudy/shared';
import type { SimKvCommit } from '@understudy/shared/testing';
import type { ClusterEvent } from '../cluster/cluster-event.ts';
import type { SimulatedCluster } from '../cluster/simulated-cluster.ts';

export const INVARIANT_IDS = [
  'I0',
  'I1',
  'I2',
  'I3',
  'I4',
  'I5',
  'I6',
  'I7',
  'I8',
  'I9',
  'I10',
  'I11',
  'I12',
  'I13',
  'I14',
  'I15',
  'I16',
  'I17',
] as const;
export type InvariantId = (typeof INVARIANT_IDS)[number];

/** What each of them says; docs/SPEC.md has the rules behind. */
export const INVARIANTS: Readonly<Record<InvariantId, string>> = {
  I0: 'no coordinator ends by a broken assumption of its own',
  I1: 'at most one launch per incarnation that is not seen terminated before the next',
  I2: 'at most one serving instance per member',
  I3: 'nothing captured, launched or activated before the old instance was down',
  I4: 'every record of a leader is written under a live guard',
  I5: 'no accusation from an observer that must abstain',
  I6: 'what a member is known by goes to the activated instance only, and settles there',
  I7: 'nothing left over after collection',
  I8: 'recoveries within the budget, and each way once for a failure',
  I9: 'no failover of a member that was never down for as long as confirming takes, or that is paused',
  I10: 'every dead member reaches done or a visible hold, and etcd that refuses writes is shown',
  I11: 'what is said under an id is said by the one process that has it',
  I12: 'no disk is taken off, copied or replaced while its instance may run, and none becomes two',
  I13: 'what a hook comes before waits for it, and a recovery that is over has run its hooks',
  I14: 'what is made for a suspect is nobody’s until its recovery takes it over, which it does or drops it for good',
  I15: 'the inventory history says of each instance what EC2 had, and leaders write it in their order',
  I16: 'a script on an instance runs once for the id of its hook, and not after its time',
  I17: 'a member’s key is given to no two instances of one incarnation, and to one key pair on each',
};

export interface Violation {
  readonly invariant: InvariantId;
  readonly atMs: number;
  readonly text: string;
}

export type Report = (invariant: InvariantId, text: string) => void;

/** An intent that was not there before: what an operator asks for rewrites one. */
export const beginsRecovery = ({ keys, kv }: SimulatedCluster, { revision }: SimKvCommit, write: KvWrite): boolean =>
  write.kind === 'put' && write.key.startsWith(keys.intents) && kv.state.get(write.key)?.createRevision === revision;

/** Watches from outside; never changes anything. */
export interface Watcher {
  onClusterEvent(clusterEvent: ClusterEvent, nowMs: number): void;
}

export type MakeWatcher = (cluster: SimulatedCluster, report: Report) => Watcher;
