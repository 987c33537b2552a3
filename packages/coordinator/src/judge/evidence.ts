import type {
  CheckReading,
  CloudInstanceStatus,
  InstanceState,
  MemberId,
  MonotonicMs,
  OpinionRecord,
  OpinionVerdict,
  WallMs,
} from '@understudy/shared';

export type ServiceOpinionRecord = NonNullable<OpinionRecord['service']>;

/** One observer's published opinion about this member, as read from etcd. */
export interface ObserverOpinion {
  readonly observer: string;
  readonly az: string;
  /**
   * The instance the opinion is about. An opinion about any other than the activated one is an
   * abstention.
   */
  readonly instanceId: string;
  readonly verdict: OpinionVerdict;
  readonly reason: string;
  readonly sinceWallMs: number;
  readonly lastHeardWallMs: number | null;
  /** What it thinks of the member's services. Absent: it has no opinion about them. */
  readonly service?: ServiceOpinionRecord;
}

/**
 * A coordinator whose presence record (lease-bound) exists now. An opinion without one is an
 * abstention.
 */
export interface LiveObserver {
  readonly coordinatorId: string;
  /** Null: its presence cannot be read. It can object; its accusation is not counted. */
  readonly az: string | null;
}

/** What the cluster demands before a member is `dead`, from the coordinator's config. */
export interface ObserverRequirement {
  /** 1 only where the cluster is configured with one coordinator. */
  readonly minimumObservers: number;
  /**
   * 1 = all coordinators may be in one AZ; the rule "one outside the member's AZ" is then waived,
   * by configuration.
   */
  readonly minimumZones: number;
}

/** The last answer EC2 gave about this instance. */
export interface CloudReading {
  readonly readAtMs: MonotonicMs;
  /**
   * `null`: EC2 answered and does not know the id. That is no proof of anything (eventual
   * consistency).
   */
  readonly instance: {
    readonly state: InstanceState;
    readonly stateReasonCode: string | null;
    readonly stateReasonText: string | null;
    readonly launchedAtWallMs: number;
  } | null;
}

export interface CloudStatusReading {
  readonly readAtMs: MonotonicMs;
  readonly status: CloudInstanceStatus;
  /**
   * When EC2 first said so in an unbroken row of answers. Null while attached EBS is not impaired.
   */
  readonly ebsImpairedSinceMs: MonotonicMs | null;
}

/**
 * One check of the agent, and since when it has failed in every heartbeat. Null: it does not fail,
 * or is not timed.
 */
export interface TimedCheck extends CheckReading {
  readonly failingSinceMs: MonotonicMs | null;
}

/** What the agent says about its workload, heard by this coordinator itself. */
export interface WorkloadReading {
  readonly lastHeardAtMs: MonotonicMs;
  readonly checks: readonly TimedCheck[];
}

export interface MemberEvidence {
  readonly member: MemberId;
  /** The activated instance: the only one that is judged. */
  readonly instanceId: string;
  readonly az: string;
  readonly wallNowMs: WallMs;
  readonly observers: readonly LiveObserver[];
  readonly opinions: readonly ObserverOpinion[];
  readonly requirement: ObserverRequirement;
  /** `null`: EC2 was never read successfully. */
  readonly cloud: CloudReading | null;
  readonly cloudStatus: CloudStatusReading | null;
  readonly workload: WorkloadReading | null;
  /**
   * Since when this leader has seen the services unreachable for everybody, without a break. Absent
   * or null: they are not.
   */
  readonly serviceUnreachableSinceMs?: MonotonicMs | null;
}

export type EvidenceWeight = 'for-dead' | 'against-dead' | 'neutral' | 'veto';

export interface EvidenceItem {
  /**
   * `observer c1`, `ec2 state`, `ec2 status checks`, `ec2 event`, `agent checks`, `agent check
   * storage`, `instance notice`, `service from c1`.
   */
  readonly source: string;
  readonly text: string;
  /** `null` when the age is unknown. Ages of opinions are on wall clocks and for people only. */
  readonly ageMs: number | null;
  /**
   * The item no longer counts when it is older than this. `null` where something else bounds it: an
   * opinion lives as long as its observer's lease. What one check found counts as long as `agent
   * checks` does, however old the finding is, because a probe that hangs in the kernel is worse the
   * older it is.
   */
  readonly freshForMs: number | null;
  readonly weight: EvidenceWeight;
}

export const ASSESS_REASONS = [
  'Heard',
  'TwoAgents',
  'Degraded',
  'DegradedTooLong',
  'ServiceUnreachable',
  'ServiceUnreachableTooLong',
  'NeverHeard',
  'EveryoneAbstains',
  'KeyRetired',
  'SomeStillConfirming',
  'ProbeAnswered',
  'NotEnoughObservers',
  'NotEnoughZones',
  'NoObserverOutsideZone',
  'SilentEverywhere',
  'FailedByEc2',
  'OsShutdown',
  'OperatorStopped',
  'OperatorHibernated',
  'StoppedUnexplained',
  'StoppedByOwnFence',
  'Abandoned',
  'NotMended',
  'OperatorAsked',
  'Ec2Unreadable',
  'Ec2Stale',
  'Ec2DoesNotKnowIt',
  'Starting',
  'BootGrace',
] as const;
export type AssessReason = (typeof ASSESS_REASONS)[number];

/** How far the rule "silent everywhere" is met. */
export interface Quorum {
  /** Live observers with an opinion of their own about this instance. */
  readonly voting: readonly string[];
  readonly abstaining: readonly string[];
  readonly hearing: readonly string[];
  readonly silent: readonly string[];
  readonly zones: readonly string[];
  readonly outsideZone: boolean;
  readonly requirement: ObserverRequirement;
  /**
   * Nobody who votes hears it, and all have confirmed. {@link met} says whether they are enough.
   */
  readonly silentEverywhere: boolean;
  readonly met: boolean;
}

export interface Assessment {
  readonly verdict: OpinionVerdict;
  readonly degraded: boolean;
  /**
   * How long the check that has failed longest has done so. Null unless the policy acts on failing
   * checks and the member is heard.
   */
  readonly failingForMs: number | null;
  readonly reasonCode: AssessReason;
  /** Why, in one sentence. */
  readonly reason: string;
  readonly evidence: readonly EvidenceItem[];
  readonly wouldChange: readonly string[];
  readonly recheckInMs: number;
  /** This is a failure to recover from, if the guard allows. */
  readonly act: boolean;
  /** EC2 should be asked about this instance now, without waiting for the next round. */
  readonly wantsCloudReading: boolean;
  readonly quorum: Quorum;
  /** The member is heard, but its services are unreachable for every observer that looks. */
  readonly serviceUnreachable: boolean;
}
