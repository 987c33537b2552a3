import type { Clock } from '../ports/clock.ts';
import type { Cloud } from '../ports/cloud.ts';

/** What the suite needs of an environment that has an EC2. */
export interface CloudContractFixture {
  readonly cloud: Cloud;
  /** The clock of that EC2. */
  readonly clock: Clock;
  /** At least one. */
  readonly subnets: readonly { readonly subnetId: string; readonly az: string }[];
  readonly imageId: string;
  readonly rootDeviceName: string;
  readonly instanceType: string;
  /** A new Elastic IP. */
  allocateAddress(): Promise<{ readonly allocationId: string }>;
  /** The next `times` calls of `action` fail like this. `firedCount` proves that they did. */
  fault(action: string, kind: ContractFault, times: number): Promise<{ firedCount(): Promise<number> }>;
  /** A service disruption in a zone, and its end. */
  impairZone(az: string, impaired: boolean): Promise<void>;
  /** The same EC2 with credentials it does not accept. Null where the transport has none. */
  readonly stranger: Cloud | null;
  /** The cloud at an address where nobody answers. Null where the transport has no addresses. */
  readonly nowhere: Cloud | null;
}

export type ContractFault = 'throttle' | 'capacity' | 'timeout-after-success' | 'internal-error';

export interface CloudContractCase {
  readonly name: string;
  run(fixture: CloudContractFixture): Promise<void>;
}
