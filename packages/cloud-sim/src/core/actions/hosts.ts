import type { Placement, RunInstancesRequest } from '@aws-sdk/client-ec2';
import { Ec2Error } from '../ec2-error.ts';
import type { SimHost } from '../model.ts';
import type { Call, Region } from '../region.ts';

/**
 * @throws InvalidHostID.NotFound, InvalidParameterValue (another zone), InsufficientHostCapacity
 * (none takes it by itself)
 */
function hostFor(region: Region, call: Call, { HostId: id }: Placement, az: string): SimHost {
  // While seeding, a machine that was launched long ago proves that its host was there.
  if (call.instant && id !== undefined && !region.hosts.has(id)) region.hosts.set(id, { id, az, autoPlacement: true });
  if (id !== undefined) {
    const named = region.hosts.get(id);
    if (!named) throw new Ec2Error('InvalidHostID.NotFound', `The Dedicated Host ID '${id}' does not exist.`);
    if (named.az === az) return named;
    throw new Ec2Error('InvalidParameterValue', `The Dedicated Host ${id} is in ${named.az}, not in ${az}.`);
  }
  const found = [...region.hosts.values()].find((one) => one.az === az && one.autoPlacement);
  if (found) return found;
  throw new Ec2Error(
    'InsufficientHostCapacity',
    `There is not enough capacity on your Dedicated Hosts in ${az} to complete the request.`,
    500,
  );
}

/**
 * The request as EC2 shows it afterwards: with the Dedicated Host it was placed on. @throws as a
 * host is found; InvalidTenancy
 */
export function placedOnHost(region: Region, call: Call, input: RunInstancesRequest, az: string): RunInstancesRequest {
  const placement = input.Placement ?? {};
  if (placement.Tenancy !== 'host') {
    if (placement.HostId === undefined) return input;
    throw new Ec2Error('InvalidTenancy', 'A Dedicated Host needs the tenancy host.');
  }
  return { ...input, Placement: { ...placement, HostId: hostFor(region, call, placement, az).id } };
}
