import type { CloudCallOptions } from './cloud.ts';

/** One registration of a target group. The same id may be registered on several ports. */
export interface RegisteredTarget {
  /** The id of an instance, or an address. */
  readonly id: string;
  readonly port: number;
  /** Null: the group takes it from the target. */
  readonly az: string | null;
  /** Unique, and never changed in place. Null: the group has no QUIC listener. */
  readonly quicServerId: string | null;
}

export interface TargetHealthSeen extends RegisteredTarget {
  /**
   * `initial`, `healthy`, `unhealthy`, `unhealthy.draining`, `draining`, `unused`, `unavailable`;
   * others may come.
   */
  readonly state: string;
  /** As `Target.NotInUse`. Null: none is given. */
  readonly reason: string | null;
  /** For people. */
  readonly text: string | null;
}

export interface CloudTargetGroup {
  readonly arn: string;
  readonly name: string;
  readonly protocol: string | null;
  /** `instance`, `ip`, `lambda`, `alb`. */
  readonly targetType: string;
  readonly vpcId: string | null;
  readonly loadBalancerArns: readonly string[];
}

/**
 * What we need of Elastic Load Balancing. There is one implementation (`targetGroupsOver`) over a
 * transport; one contract suite tests it in process and over HTTP. Every call is sent once. What is
 * not its own answer is CLOUD_UNAVAILABLE, or CLOUD_OUTCOME_UNKNOWN of a change (S18).
 */
export interface TargetGroups {
  /**
   * Groups by ARN; null: all of the Region, page by page.
   * @throws CLOUD_NOT_FOUND for an ARN that is none
   */
  describeGroups(arns: readonly string[] | null, options?: CloudCallOptions): Promise<readonly CloudTargetGroup[]>;
  /** Everything that is registered, or drains. @throws CLOUD_NOT_FOUND (no such group) */
  describeTargets(arn: string, options?: CloudCallOptions): Promise<readonly TargetHealthSeen[]>;
  /** Zones in which these balancers take traffic, by the ARN of the balancer. */
  describeBalancerZones(
    balancerArns: readonly string[],
    options?: CloudCallOptions,
  ): Promise<ReadonlyMap<string, readonly string[]>>;
  /**
   * Idempotent: what is registered stays; what drains is registered anew.
   * @throws CLOUD_CONFLICT (`InvalidTarget`: it does not run, or is in another VPC),
   * CLOUD_NOT_FOUND, CLOUD_REJECTED (the group is full), CLOUD_OUTCOME_UNKNOWN
   */
  registerTargets(arn: string, targets: readonly RegisteredTarget[], options?: CloudCallOptions): Promise<void>;
  /** Idempotent: what is not registered is a success. Each target by its very id and port. */
  deregisterTargets(arn: string, targets: readonly RegisteredTarget[], options?: CloudCallOptions): Promise<void>;
}
