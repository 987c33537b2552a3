import { CloudSim, type FaultKind, inProcessTransport } from '@understudy/cloud-sim';
import { createEc2Cloud } from '@understudy/aws';
import { underGeneratedPolicy } from '../iam/generated-policy.ts';
import { type CloudContractFixture, type ContractFault, SimClock } from '@understudy/shared/testing';

/** The suite's faults in cloud-sim's words. */
export const SIM_FAULTS: Readonly<Record<ContractFault, { readonly kind: FaultKind; readonly code?: string }>> = {
  throttle: { kind: 'throttle' },
  capacity: { kind: 'capacity' },
  'timeout-after-success': { kind: 'timeout-after-success' },
  'internal-error': { kind: 'error', code: 'InternalError' },
};

/** All of it runs under the policy that a coordinator's role is told to have. */
export const RIGHTS = { groups: ['contract', 'db'], roles: ['db'] } as const;

export interface InProcessFixture extends CloudContractFixture {
  readonly clock: SimClock;
  readonly sim: CloudSim;
}

/**
 * cloud-sim's core on a simulated clock, behind the whole EC2 stack of the coordinator, which has
 * the rights that it is told to have.
 */
export function inProcessFixture(seed = 1): InProcessFixture {
  const clock = new SimClock();
  const sim = new CloudSim({ clock, seed });
  sim.setAuthorize(underGeneratedPolicy(RIGHTS));
  const cloud = createEc2Cloud({ transport: inProcessTransport(sim), clock, callTimeoutMs: 5_000, rateShare: 0.9 });
  const nobody = new CloudSim({ clock });
  nobody.setDeniedActions(['DescribeSubnets']);
  let faults = 0;
  return {
    sim,
    clock,
    cloud,
    subnets: Object.entries(sim.defaultResources.subnets).map(([az, subnetId]) => ({ az, subnetId })),
    imageId: sim.defaultResources.imageId,
    rootDeviceName: sim.defaultResources.rootDeviceName,
    instanceType: 't3.small',
    allocateAddress: async () => {
      const { AllocationId } = sim.seed('AllocateAddress', { Domain: 'vpc' });
      return { allocationId: String(AllocationId) };
    },
    fault: async (action, kind, times) => {
      const id = `contract-${++faults}`;
      sim.addFault({ id, action, times, ...SIM_FAULTS[kind] });
      return { firedCount: async () => sim.fired(id) };
    },
    impairZone: async (az, impaired) => sim.setZoneImpaired(az, impaired),
    stranger: createEc2Cloud({ transport: inProcessTransport(nobody), clock, callTimeoutMs: 5_000 }),
    nowhere: createEc2Cloud({ transport: () => new Promise(() => undefined), clock, callTimeoutMs: 5_000 }),
  };
}
