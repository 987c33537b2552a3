import type {
  CloudAddress,
  CloudImage,
  CloudInstance,
  CloudNetworkInterface,
  CloudSnapshot,
  CloudSubnet,
  CloudVolume,
} from '@understudy/shared';
import type { FirstBoot } from './user-data/first-boot.ts';
import type { TypeFacts } from './candidate-fit.ts';
import type { NamedBy } from './named-by.ts';
import type { ReservationFacts } from './reservation-fit.ts';
import type { References } from './references.ts';
import type { UndoFacts } from './undo/undo-decision.ts';

/**
 * What EC2 said to a launch that was only tried (DryRun). `unknown`: not tried, or no clear answer.
 */
export type LaunchTrial =
  | { readonly kind: 'ok' | 'unknown' }
  | {
      readonly kind: 'denied' | 'refused';
      readonly text: string;
      readonly names: 'instanceProfile' | 'licences' | null;
    };

/** Images that are named for the seed of a member, by others than EC2. */
export interface SeedClaims {
  /** As its activation has it. Null: it says nothing. */
  readonly recordedId: string | null;
  /** Those that EC2 shows of the ones that record, policy and tag name. */
  readonly images: readonly CloudImage[];
}

/** All that is read from EC2 before the intent (see `gatherPlanInput`). */
export interface PlanInput {
  readonly instance: CloudInstance;
  /** The attached volumes. */
  readonly volumes: readonly CloudVolume[];
  /** Snapshots of those volumes in our account, whoever made them. */
  readonly snapshots: readonly CloudSnapshot[];
  /** Those of the volumes of which EC2's own checks say that they are impaired. */
  readonly impairedVolumeIds: ReadonlySet<string>;
  /** When the reading began. Null: not known. */
  readonly readAtWallMs: number | null;
  /**
   * What it was launched from; null when deregistered or hidden by now (no obstacle: the
   * replacement boots from its own image).
   */
  readonly image: CloudImage | null;
  /** What else a seed may be launched from. Absent: nobody looked. */
  readonly seedClaims?: SeedClaims;
  readonly addresses: readonly CloudAddress[];
  readonly networkInterfaces: readonly CloudNetworkInterface[];
  /** The instance's own subnet and the policy's. */
  readonly subnets: readonly CloudSubnet[];
  /** Base64. Holds the agent's key: never logged. */
  readonly userData: string | null;
  /** What that user data does at a first boot. */
  readonly firstBoot: FirstBoot;
  readonly protection: { readonly stop: boolean; readonly termination: boolean };
  /** null: EC2 does not say, or refused the question. */
  readonly shutdownBehavior: 'stop' | 'terminate' | null;
  readonly cpuCredits: string | null;
  /** What EC2 says of the own type and of those in the policy. */
  readonly typeFacts: TypeFacts;
  readonly references: References;
  /** Capacity reservations that the policy's candidates name. Absent: nobody looked. */
  readonly reservations?: ReservationFacts;
  readonly trial: LaunchTrial;
  /** What names it in DNS and load balancers. Absent: nobody looked. */
  readonly namedBy?: NamedBy;
  /** What an undo is decided by. Absent: nobody has asked for one. */
  readonly undo?: UndoFacts;
  /**
   * The feature level in force: a plan has nothing in it that only builds of a higher one act by
   * (S24). Absent: as this build's.
   */
  readonly level?: number;
}
