import type { BucketLimit, MonotonicMs, PlanSummary, WallMs } from '@understudy/shared';
import type { MemberEvidence } from '../judge/evidence.ts';
import type { FleetMember, GuardInput, StartedRecovery } from '../judge/guard-input.ts';

/** What the leader knows of one member. */
export interface WhatIfSubject {
  /** As the assessor has it now. */
  readonly evidence: MemberEvidence;
  /** As the guard would be asked now, but for the fleet and the recoveries. */
  readonly guard: Omit<GuardInput, 'fleet' | 'recoveries'>;
  /** Null: its plan was not looked at yet. */
  readonly plan: PlanSummary | null;
}

/** Everything that is known at one moment. It is only read. */
export interface WhatIfSnapshot {
  readonly nowMs: MonotonicMs;
  readonly nowWallMs: WallMs;
  /** Members that are judged now: those that are being recovered are not. */
  readonly subjects: readonly WhatIfSubject[];
  /** Members that are being recovered now, with their zones. */
  readonly recovering: readonly { readonly member: string; readonly az: string }[];
  readonly fleet: readonly FleetMember[];
  readonly recoveries: readonly StartedRecovery[];
  readonly coordinators: readonly {
    readonly coordinatorId: string;
    readonly az: string;
    /** It leads only where nobody else can, and accuses nobody. */
    readonly isDrained: boolean;
  }[];
  readonly leaderId: string | null;
  /** Zones that a person calls lost now. */
  readonly calledLost: readonly string[];
  /** Recoveries that run at the same time in this cluster, at most. */
  readonly recoveriesMax: number;
  readonly leaseTtlMs: number;
  /** Our share of what AWS allows of an action. Null: it is not limited, or not known. */
  readonly limitOf: (action: string) => BucketLimit | null;
}
