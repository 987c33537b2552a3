import type {
  EnrolmentsView,
  ExplainView,
  FleetView,
  HeardView,
  HistoryRecord,
  HoldRecord,
  KeysView,
  LeftoverView,
  MemberId,
  MemberView,
  NotEnrolled,
  NoticesView,
  Problem,
  RecoveriesView,
  StatusView,
} from '@understudy/shared';
import type { AgentPings } from '../agent-pings.ts';
import type { InventoryHistory } from '@understudy/inventory';
import type { EventLog } from '../events/event-log.ts';
import type { Controls } from '../controls.ts';
import type { Authenticated, OperatorAnswer, OperatorCommand } from '../../leader/operator-command.ts';
import type { EnrolmentAnswer, EnrolmentRequest } from '../../leader/key-enrolment.ts';
import type { FeedEvent } from '../fleet/fleet-feed.ts';

/** The fleet in few bytes, and what is heard of it. */
export interface FleetSource {
  fleet(): FleetView;
  /** What our own observer hears. `order`: the order of members that the caller knows. */
  heard(order: string | null): HeardView;
  /** Tells the fleet, and then what changes in it, until the returned function is called. */
  watch(watcher: (event: FeedEvent) => void): () => void;
}

/**
 * What the HTTP server shows. All answers are synchronous snapshots, so that a slow reader never
 * waits for the loop or delays it.
 */
export interface ApiSource {
  /** Empty: ready. etcd is reachable, the observer listens, and (on the leader) EC2 answers. */
  notReady(): readonly Problem[];
  status(): StatusView;
  readonly fleet: FleetSource;
  members(): readonly MemberView[];
  /** Instances whose tags name us and that are no members, as the leader finds them. */
  notEnrolled(): readonly NotEnrolled[];
  keys(): KeysView;
  /** Null: there is no such member. */
  explain(member: MemberId): ExplainView | null;
  /**
   * Takes an operator's request about a recovery; only the leader accepts it. Never rejects but for
   * a bug.
   */
  operate(command: OperatorCommand, by?: Authenticated): Promise<OperatorAnswer>;
  /** What people can change, and what they have changed. */
  readonly controls: Controls;
  /** Where the leader is. `self`: we lead. Null: nobody does, as far as is known here. */
  leader(): 'self' | { readonly coordinatorId: string; readonly httpUrl: string } | null;
  /** The newest changes of state. */
  readonly events: EventLog;
  recoveries(): RecoveriesView;
  /** What ended recoveries still have to remove or to put in place. */
  leftovers(): readonly LeftoverView[];
  notices(): NoticesView;
  /** Who was given a key by identity, and who was refused here. */
  enrolments(): EnrolmentsView;
  /** Gives an agent its key for the identity of its instance; only the leader does. */
  enrolKey(request: EnrolmentRequest): Promise<EnrolmentAnswer>;
  /** Null: no inventory history is kept here. */
  readonly inventory: InventoryHistory | null;
  /** Tell what Systems Manager has of a member's agent, for people. Null: nobody asks it. */
  readonly agentPings: Pick<AgentPings, 'of'> | null;
  holds(): readonly HoldRecord[];
  /** Newest first. */
  history(member: string | null, limit: number): readonly HistoryRecord[];
}

export interface MetricsSource {
  readonly contentType: string;
  /** Prometheus text exposition format 0.0.4. */
  text(): Promise<string>;
}
