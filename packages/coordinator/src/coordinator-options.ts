import type {
  Clock,
  Cloud,
  DnsRecords,
  DatagramSocket,
  Kms,
  KvStore,
  Log,
  MessageQueue,
  ProbeService,
  Problem,
  Random,
  RemoteCommands,
  RunHook,
  TargetGroups,
} from '@understudy/shared';
import type { AnswerWatch, ServiceLimiters } from '@understudy/aws';
import type { AskPeer } from './api/fleet/heard-of-peers.ts';
import type { LimitCounts } from './api/http/connection-limits.ts';
import type { KeySource, Receiver, TagScheme } from '@understudy/observer';
import type { CoordinatorConfig } from './config.ts';
import type { EnrolmentSettings } from './identity/enrolment-settings.ts';
import type { InventoryKeeping } from './inventory/inventory-keeping.ts';
import type { SendNotice } from './notices/sink.ts';
import type { Build } from './store/feature-level.ts';
import type { RecoveryRunner, RecoverySettings } from '@understudy/recovery';

/** Everything a coordinator is built from. */
export interface CoordinatorOptions {
  readonly config: CoordinatorConfig;
  /** Key id → master secret. */
  readonly masters: ReadonlyMap<number, Uint8Array>;
  /** Where changed masters are found while it runs; absent: they stay as they are. */
  readonly keySource?: KeySource;
  readonly store: KvStore;
  readonly cloud: Cloud;
  /** Asked about the keys of volumes; absent: they are not checked. */
  readonly kms?: Kms;
  /** Runs hooks of policies; absent: none can be run. */
  readonly runHook?: RunHook;
  /** Where records of members are; absent: none follows a member. */
  readonly dns?: DnsRecords;
  /** Where members are registered; absent: no registration follows a member. */
  readonly targetGroups?: TargetGroups;
  /** Where events of EC2 come from; absent: none are read. */
  readonly eventQueue?: MessageQueue;
  /** Bound. Closed by {@link Coordinator.stop}. */
  readonly socket: DatagramSocket & { readonly receiveBufferBytes?: number };
  /** Where the socket is read by threads of its own. */
  readonly receiver?: Receiver;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly version: string;
  /** How operators and the other coordinators reach our HTTP server. */
  readonly httpUrl: string;
  /**
   * Looks at services of members; absent: none can be looked at, which proves nothing against
   * anybody.
   */
  readonly probeService?: ProbeService;
  /** Sends notices; absent: none are delivered, which only tests may want. */
  readonly sendNotice?: SendNotice;
  /** Says whose identity documents are good for a key; absent: nobody's. */
  readonly enrolment?: EnrolmentSettings;
  /** Keeps an inventory history; absent: none is kept. */
  readonly inventory?: InventoryKeeping;
  /** Systems Manager, asked for people what it has of members' agents; absent: it is not. */
  readonly managedNodes?: Pick<RemoteCommands, 'managed'>;
  readonly readDrops?: () => Promise<number | null>;
  /**
   * A broken invariant, or an etcd that must not be used: the process has to stop and say so.
   * Called at most once.
   */
  readonly onFatal: (error: unknown) => void;
  /** Default, and only safe choice: HMAC. See {@link TagScheme}. */
  readonly tags?: TagScheme;
  /** In place of this build's own levels; for tests of builds beside each other. */
  readonly build?: Build;
  readonly recoverySettings?: Partial<RecoverySettings>;
  /** Tells what answered in EC2's place. */
  readonly answers?: Pick<AnswerWatch, 'problem' | 'totals'>;
  /** Tell how the rates of EC2, Route 53 and Elastic Load Balancing are used. */
  readonly limiters?: Pick<ServiceLimiters, 'problem' | 'states'> & Partial<Pick<ServiceLimiters, 'limitOf'>>;
  /** Called with the master secrets when they have changed. */
  readonly onMasters?: (masters: ReadonlyMap<number, Uint8Array>) => void;
  /** What is wrong with the files that say who may use the HTTP API. */
  readonly accessProblems?: () => readonly Problem[];
  /** Asks another coordinator. Absent: none can be asked. */
  readonly askPeer?: AskPeer;
  /** Counts of the HTTP server that shows us. */
  readonly connections?: () => LimitCounts;
  /** Also Node's own metrics. */
  readonly withProcessMetrics?: boolean;
  /** In place of the engine; for tests of the loop. */
  readonly runner?: RecoveryRunner;
}
