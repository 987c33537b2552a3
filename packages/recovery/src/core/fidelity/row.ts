import type { Chore, CloudInstance, GroupPolicy, PlannedVolume, SnapshotAndReplacePlan } from '@understudy/shared';
import type { VolumeTagging } from '../volume-tags.ts';
import type { PathChoice } from '../paths/choose-paths.ts';
import type { Placements } from '../placement.ts';
import type { PlanInput } from '../plan-input.ts';
import type { NameInUse } from '../references.ts';

/**
 * What becomes of one attribute of a failed instance: where EC2 tells it, what of the request
 * carries it, what puts it back later, and under which codes it is lost or refuses the recovery.
 * Planner, requests, chores, `docs/fidelity.md` and tests follow from these rows. All functions are
 * pure.
 */
export interface FidelityRow {
  /** Lasting name of the row in documents. A row that is added takes the next free number. */
  readonly number: number;
  readonly attribute: string;
  /**
   * Members of EC2's answers that hold it, by the type that the EC2 API gives them. Empty: EC2 does
   * not tell it.
   */
  readonly read: readonly string[];
  readonly carry?: Carry;
  readonly reapply?: readonly Reapply[];
  /** What the replacement will not have, or will have differently. */
  readonly loss?: readonly Rule[];
  /** Readiness problems that refuse nothing: a person should look while nothing is wrong. */
  readonly notice?: readonly Rule[];
  readonly refuse?: readonly Refusal[];
  /** The attribute is the name of something that may be deleted: then the launch leaves it out. */
  readonly names?: NameInUse;
  /** Why it is handled this way, for `docs/fidelity.md`. */
  readonly why: string;
}

/** What a rule may look at. */
export interface Circumstances {
  readonly input: PlanInput;
  readonly policy: GroupPolicy;
  readonly placements: Placements;
  /** Members that the launch carries and that another instance type has to do without. */
  readonly typeBound: readonly string[];
  /** How its disks get to the replacement. */
  readonly disks: PathChoice;
}

/** One code, and when it applies. */
export interface Rule {
  readonly code: string;
  /** One sentence for an operator, or several findings of this code; null or empty: none. */
  readonly text: (circumstances: Circumstances) => string | null | readonly string[];
}

export interface Refusal extends Rule {
  /** What an operator can do about it, for `docs/fidelity.md`. */
  readonly remedy: string;
}

/** One getter for each field; a row has those of its own attribute. */
export type Getters<T, From> = { readonly [Field in keyof T]?: (from: From) => T[Field] };

/** Where the request has the attribute. `undefined` as a value: the member is left out. */
export interface Carry {
  /** Members of RunInstances. */
  readonly launch?: Readonly<Record<string, LaunchMember>>;
  /** Members of `Placement` of RunInstances. */
  readonly placement?: Readonly<Record<string, LaunchMember>>;
  /** Members of `BlockDeviceMappings[].Ebs` of RunInstances, for each disk. */
  readonly disk?: Readonly<Record<string, (volume: PlannedVolume) => unknown>>;
  /** Fields of the image that RegisterImage makes. */
  readonly image?: Getters<ImageDraft, PlanInput>;
  /** Fields of the plan, from which further requests and steps are made. */
  readonly plan?: Getters<CarriedPlan, Circumstances>;
}

export interface LaunchMember {
  readonly value: (from: Pick<Circumstances, 'input' | 'policy'>) => unknown;
  /** Another candidate does without it where this differs from the failed instance. */
  readonly boundTo?: 'type' | 'zone' | 'burstable-type';
}

/** What RegisterImage is told; without architecture or root device there is no image. */
export type ImageDraft = Omit<SnapshotAndReplacePlan['image'], 'architecture' | 'rootDeviceName'> & {
  readonly architecture: string | null;
  readonly rootDeviceName: string | null;
};

/** The fields of a plan that carry attributes. */
export type CarriedPlan = Pick<
  SnapshotAndReplacePlan,
  | 'volumes'
  | 'addresses'
  | 'assigned'
  | 'interfaces'
  | 'candidates'
  | 'securityGroupIds'
  | 'primaryInterfaceId'
  | 'sourceDestCheck'
  | 'networkInterfaceTags'
  | 'interfaceType'
  | 'connectionTracking'
  | 'rebootMigration'
  | 'dnsRecords'
  | 'primaryAddress'
  | 'protection'
  | 'oldLaunchedAtWallMs'
  | 'instanceTags'
>;

/** What puts the attribute back, and the call of EC2 it takes. */
export type Reapply =
  | {
      /** The step reads the field of the plan and does it. */
      readonly step: 'permit' | 'address' | 'secondary' | 'ipv6' | 'prefix' | 'interface';
      readonly call: string;
      readonly planned: keyof CarriedPlan;
    }
  | {
      /** Before the replacement may serve. */
      readonly step: 'verify';
      readonly call: string;
      /** Devices of the replacement that have to be kept when it is terminated. */
      readonly disksToKeep: (
        volumes: readonly PlannedVolume[],
        replacement: Pick<CloudInstance, 'volumes'>,
      ) => readonly string[];
    }
  | {
      /** While it serves already; what cannot be done is owed, and the collector goes on trying. */
      readonly step: 'done';
      readonly call: string;
      readonly chores: (facts: ReapplyFacts) => readonly Chore[];
    };

export interface ReapplyFacts {
  readonly plan: {
    readonly protection: SnapshotAndReplacePlan['protection'];
    readonly policy: VolumeTagging['policy'];
    readonly rebootMigration?: SnapshotAndReplacePlan['rebootMigration'];
    readonly dnsRecords?: SnapshotAndReplacePlan['dnsRecords'];
  };
  /** The disks of the plan, and those that were captured beside them. */
  readonly volumes: readonly PlannedVolume[];
  readonly newInstanceId: string;
}

/** The text where the condition holds. */
export const when = (condition: boolean, text: string): string | null => (condition ? text : null);

/** Rows of one theme, with the heading they have in `docs/fidelity.md`. */
export interface FidelityTheme {
  readonly theme: string;
  readonly rows: readonly FidelityRow[];
}
