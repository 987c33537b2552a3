import type { CloudAddress, MemberId, Tags } from '@understudy/shared';
import type { InstanceSight } from './instance-sight.ts';
import type { HandBackRecoveries } from './recoveries.ts';

/** All that a hand-back is made from. */
export interface HandBackFacts extends HandBackRecoveries {
  readonly member: MemberId;
  /** The instance that serves now. Null: the member has none. */
  readonly activeInstanceId: string | null;
  /** The instance that code names, as EC2 shows it. Null: it does not any more. */
  readonly retained: InstanceSight | null;
  /** The same as the inventory saw it last before the recovery. Null: it did not. */
  readonly before: InstanceSight | null;
  /** The instance that serves now. Null: EC2 does not show it. */
  readonly active: InstanceSight | null;
  /** Tags of volumes and interfaces of both, by id, as far as EC2 shows them. */
  readonly tags: ReadonlyMap<string, Tags>;
  readonly addresses: readonly CloudAddress[];
}
