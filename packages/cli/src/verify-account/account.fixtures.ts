import { createEc2Cloud } from '@understudy/aws';
import { CloudSim, inProcessTransport, type LatencyOverrides } from '@understudy/cloud-sim';
import type { Cloud } from '@understudy/shared';
import { SeededRandom, SimClock } from '@understudy/shared/testing';
import { type AccountRun, askAccount } from './ask-account.ts';
import type { AccountReport } from './report.ts';
import { QUESTIONS } from './questions.ts';

export interface Account {
  readonly sim: CloudSim;
  readonly clock: SimClock;
  readonly cloud: Cloud;
  readonly allocationId: string;
}

export function account(latency: LatencyOverrides = {}): Account {
  const clock = new SimClock();
  const sim = new CloudSim({ clock, seed: 1, latency });
  const cloud = createEc2Cloud({ transport: inProcessTransport(sim), clock, callTimeoutMs: 5_000, rateShare: 0.9 });
  return { sim, clock, cloud, allocationId: String(sim.seed('AllocateAddress', { Domain: 'vpc' }).AllocationId) };
}

/** A run of the named questions, on a cloud that may behave otherwise. */
export function runOf(
  { sim, clock, cloud, allocationId }: Account,
  ids: readonly string[],
  change: (cloud: Cloud) => Partial<Cloud> = () => ({}),
): AccountRun {
  const [subnetId = '', otherSubnetId = ''] = Object.values(sim.defaultResources.subnets);
  const { imageId } = sim.defaultResources;
  return {
    cloud: changed(cloud, change(cloud)),
    ...{
      clock,
      random: new SeededRandom(7),
      region: 'us-east-1',
      runId: 'run1',
      instanceHourUsd: 0.0104,
      reason: null,
    },
    questions: QUESTIONS.filter(({ id }) => ids.includes(id)),
    given: { imageId, instanceType: 't3.micro', subnetId, otherSubnetId, allocationId, patienceMs: 180_000 },
    say: () => undefined,
  };
}

/** The cloud with some of its methods replaced. */
function changed(cloud: Cloud, change: Partial<Cloud>): Cloud {
  return new Proxy(cloud, {
    get: (target, name) => {
      const own: unknown = Reflect.get(change, name);
      if (own !== undefined) return own;
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

export const answered = (one: Account, run: AccountRun): Promise<AccountReport> =>
  one.clock.runUntilSettled(askAccount(run));

/** What there is in the account, apart from what it has from the beginning. */
export async function leftIn({ clock, cloud }: Account): Promise<readonly string[]> {
  const filters = { 'tag-key': ['understudy:verify-account'] };
  const look = Promise.all([
    cloud.describeInstances(filters).then((all) => all.filter(({ state }) => state !== 'terminated')),
    cloud.describeVolumes(filters),
    cloud.describeSnapshots(filters),
    cloud.describeImages(filters),
    cloud.describeNetworkInterfaces(filters),
  ]);
  return (await clock.runUntilSettled(look)).flat().map((thing) => JSON.stringify(thing));
}
