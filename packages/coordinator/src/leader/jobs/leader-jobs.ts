import type { Clock, Keyspace, Log, MemberId, Random } from '@understudy/shared';
import type { Collector, FailureHooks, LateStarts, OwnershipWatch, ServeLeases } from '@understudy/recovery';
import type { ClusterState } from '../../store/cluster-state.ts';
import type { ConsoleCapture } from '../console-capture.ts';
import type { Enroller } from './enroller.ts';
import type { EvidencePoller } from '../ec2-evidence.ts';
import { HoldKeeper, type WantedHold } from '../holds.ts';
import { JudgementPublisher } from '../judgement-publisher.ts';
import type { Assessor } from '../assessor.ts';
import { AuditRetentionJob } from './audit-retention.ts';
import { CollectionJob } from './collection.ts';
import { ConsolesJob } from './consoles.ts';
import { CloudEventsJob } from './cloud-events.ts';
import type { EventHearing } from '../event-hearing.ts';
import { EvidenceJob } from './evidence.ts';
import { FeatureLevelJob } from './feature-level.ts';
import { FindingsJob, type Found } from './findings.ts';
import { HoldsJob } from './holds.ts';
import { JudgementsJob } from './judgements.ts';
import { LateStartsJob } from './late-starts.ts';
import type { LeaderJob } from './leader-job.ts';
import { LostZonesJob } from './lost-zones.ts';
import { NoticesJob } from './notices.ts';
import type { Outbox } from '../../notices/outbox.ts';
import type { SendNotice } from '../../notices/sink.ts';
import { type SinkSections, sinksOf } from '../../notices/sinks/registry.ts';
import { FailureHooksJob } from './failure-hooks.ts';
import { OwnershipJob } from './ownership.ts';
import { PointlessRequestsJob } from './pointless-requests.ts';
import { PoliciesInForceJob } from './policies-in-force.ts';
import type { ReadinessBoard } from '../readiness-board.ts';
import { ReadinessBoardJob } from './readiness-board.ts';
import type { InventoryKeeping } from '../../inventory/inventory-keeping.ts';
import { InventoryJob } from './inventory.ts';
import { ServeContractsJob } from './serve-contracts.ts';
import type { UndoLook } from '../undo-look.ts';
import { ToldDeedsJob } from './told-deeds.ts';
import { UndosJob, type UndosJobOptions } from './undos.ts';

/** How often a leader does what, ms. */
export interface LeaderPace {
  readonly tickMs: number;
  readonly enrolEveryMs: number;
  readonly evidenceEveryMs: number;
  readonly collectEveryMs: number;
  readonly raiseLevelAfterMs: number;
}

export interface LeaderJobParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly keys: Keyspace;
  readonly view: ClusterState;
  readonly pace: LeaderPace;
  readonly enroller: Enroller;
  readonly serveLeases: ServeLeases;
  readonly evidence: EvidencePoller;
  readonly assessor: Assessor;
  readonly board: ReadinessBoard;
  readonly wantedHolds: () => ReadonlyMap<MemberId, WantedHold>;
  readonly found: () => Found;
  readonly console: ConsoleCapture;
  readonly collector: Collector;
  readonly ownershipWatch: OwnershipWatch;
  readonly undoLook: UndoLook;
  readonly readFor: UndosJobOptions['readFor'];
  readonly preparations: UndosJobOptions['preparations'];
  readonly dropRequest: UndosJobOptions['dropRequest'];
  readonly storeTimeoutMs: number;
  readonly failureHooks: FailureHooks;
  readonly lateStarts: LateStarts;
  readonly random: Random;
  readonly events: EventHearing;
  readonly outbox: Outbox;
  readonly notify: NotifySettings;
  readonly sendNotice: SendNotice | null;
  /** Absent: no history is kept. */
  readonly inventory?: InventoryKeeping | undefined;
  readonly onNoticeTried: (sink: string, outcome: 'taken' | 'refused') => void;
}

/** As configured. */
export interface NotifySettings extends SinkSections {
  readonly giveUpAfterMs: number;
  readonly linkBase?: string | undefined;
}

/** Everything a leader does beside its decisions: one line a job. */
export function leaderJobs(parts: LeaderJobParts): readonly LeaderJob[] {
  const { tickMs, enrolEveryMs, evidenceEveryMs, collectEveryMs } = parts.pace;
  return [
    parts.enroller,
    new ServeContractsJob({ ...parts, everyMs: enrolEveryMs }),
    new PoliciesInForceJob({ ...parts, everyMs: enrolEveryMs }),
    new FeatureLevelJob({ ...parts, everyMs: enrolEveryMs, raiseAfterMs: parts.pace.raiseLevelAfterMs }),
    new EvidenceJob({ ...parts, everyMs: evidenceEveryMs, statesFreshForMs: parts.events.statesFreshForMs }),
    new ConsolesJob({ ...parts, everyMs: tickMs }),
    new HoldsJob({ ...parts, everyMs: tickMs, holds: new HoldKeeper(parts), wanted: parts.wantedHolds }),
    new JudgementsJob({ ...parts, everyMs: tickMs, publisher: new JudgementPublisher(parts) }),
    new LostZonesJob({ ...parts, everyMs: tickMs }),
    new FindingsJob({ ...parts, everyMs: tickMs }),
    new ReadinessBoardJob({ ...parts, everyMs: READINESS_EVERY_MS }),
    new PointlessRequestsJob({ ...parts, everyMs: enrolEveryMs }),
    new UndosJob({ ...parts, everyMs: tickMs }),
    new CollectionJob({ ...parts, everyMs: collectEveryMs }),
    new OwnershipJob({ ...parts, everyMs: collectEveryMs, watch: parts.ownershipWatch }),
    new FailureHooksJob({ ...parts, everyMs: HOOKS_EVERY_MS, hooks: parts.failureHooks }),
    new LateStartsJob({ ...parts, everyMs: evidenceEveryMs }),
    new AuditRetentionJob({ ...parts, everyMs: collectEveryMs }),
    ...noticesJob(parts),
    ...(parts.events.queue ? [new CloudEventsJob({ ...parts, events: parts.events, queue: parts.events.queue })] : []),
    ...(parts.events.queue ? [new ToldDeedsJob({ ...parts, everyMs: collectEveryMs, deeds: parts.events.deeds })] : []),
    ...(parts.inventory ? [new InventoryJob({ ...parts, keeping: parts.inventory, deeds: parts.events.deeds })] : []),
  ];
}

/** How soon a pause, or a plan that was looked at, shows in the readiness of members, ms. */
const READINESS_EVERY_MS = 1_000;

/** How soon a hook on failure is begun, and seen to end, ms. */
const HOOKS_EVERY_MS = 1_000;

/** How soon a change is told, ms. */
const NOTICES_EVERY_MS = 1_000;

function noticesJob(parts: LeaderJobParts): readonly LeaderJob[] {
  const { sendNotice: send, notify, onNoticeTried: onTried } = parts;
  const sinks = sinksOf(notify);
  if (send === null || sinks.length === 0) return [];
  const settings = { ...notify, sinks, linkBase: notify.linkBase ?? null };
  return [new NoticesJob({ ...parts, settings, send, onTried, everyMs: NOTICES_EVERY_MS })];
}
