import type { ProtocolEnum, TargetTypeEnum } from '@aws-sdk/client-elastic-load-balancing-v2';
import { Ec2Error } from '../ec2-error.ts';
import { Elbv2Rate } from './rate.ts';

/** One registration: the same id may stand on several ports. */
export interface SimTarget {
  readonly id: string;
  readonly port: number;
  /** Null: the balancer takes it from the target. */
  readonly az: string | null;
  readonly registeredAtMs: number;
  /** Null: it is registered. */
  readonly drainsUntilMs: number | null;
}

export interface SimTargetGroup {
  readonly arn: string;
  readonly name: string;
  readonly protocol: ProtocolEnum;
  readonly port: number;
  readonly vpcId: string;
  readonly targetType: TargetTypeEnum;
  /** Null: no balancer sends anything to it. */
  readonly loadBalancerArn: string | null;
  readonly checks: { readonly enabled: boolean; readonly intervalMs: number; readonly unhealthyAfter: number };
  readonly drainMs: number;
  readonly targets: ReadonlyMap<string, SimTarget>;
}

export interface SimLoadBalancer {
  readonly arn: string;
  readonly name: string;
  readonly vpcId: string;
  /** The zones that are enabled. A target in another one is registered and gets nothing. */
  readonly zones: readonly string[];
  /** Zones that traffic was shifted away from by an administrator. */
  readonly shiftedZones: readonly string[];
}

/** ELB user guide, health checks and deregistration delay: the defaults. */
const DEFAULT_CHECKS = { enabled: true, intervalMs: 30_000, unhealthyAfter: 2 };
const DEFAULT_DRAIN_MS = 300_000;

export const targetKey = (id: string, port: number): string => `${id}:${port}`;

export interface NewTargetGroup
  extends Pick<SimTargetGroup, 'name' | 'port' | 'vpcId'>,
    Partial<Pick<SimTargetGroup, 'protocol' | 'targetType' | 'loadBalancerArn' | 'drainMs'>> {
  readonly checks?: Partial<SimTargetGroup['checks']>;
}

/** The load balancers and target groups of the account. */
export class LoadBalancing {
  readonly rate: Elbv2Rate;
  readonly #arnPrefix: string;
  readonly #groups = new Map<string, SimTargetGroup>();
  readonly #balancers = new Map<string, SimLoadBalancer>();
  /** Targets whose health checks fail although they run. */
  readonly failingChecks = new Set<string>();
  #made = 0;

  constructor(region: string, accountId: string, speed: number) {
    this.rate = new Elbv2Rate(speed);
    this.#arnPrefix = `arn:aws:elasticloadbalancing:${region}:${accountId}`;
  }

  #suffix(): string {
    return (++this.#made).toString(16).padStart(16, '0');
  }

  makeBalancer(wanted: Pick<SimLoadBalancer, 'name' | 'vpcId' | 'zones'>): SimLoadBalancer {
    const arn = `${this.#arnPrefix}:loadbalancer/app/${wanted.name}/${this.#suffix()}`;
    return this.putBalancer({ ...wanted, arn, shiftedZones: [] });
  }

  putBalancer(balancer: SimLoadBalancer): SimLoadBalancer {
    this.#balancers.set(balancer.arn, balancer);
    return balancer;
  }

  make({ checks, ...wanted }: NewTargetGroup): SimTargetGroup {
    return this.put({
      ...{ protocol: 'HTTP', targetType: 'instance', loadBalancerArn: null, drainMs: DEFAULT_DRAIN_MS },
      ...wanted,
      arn: `${this.#arnPrefix}:targetgroup/${wanted.name}/${this.#suffix()}`,
      checks: { ...DEFAULT_CHECKS, ...checks },
      targets: new Map(),
    });
  }

  put(group: SimTargetGroup): SimTargetGroup {
    this.#groups.set(group.arn, group);
    return group;
  }

  groups(): readonly SimTargetGroup[] {
    return [...this.#groups.values()];
  }

  balancer(arn: string | null): SimLoadBalancer | undefined {
    return arn === null ? undefined : this.#balancers.get(arn);
  }

  balancers(): readonly SimLoadBalancer[] {
    return [...this.#balancers.values()];
  }

  /** @throws TargetGroupNotFound */
  require(arn: string): SimTargetGroup {
    const group = this.#groups.get(arn);
    if (group) return group;
    throw new Ec2Error('TargetGroupNotFound', `One or more target groups not found`);
  }

  remove(arn: string): boolean {
    return this.#groups.delete(arn);
  }
}
