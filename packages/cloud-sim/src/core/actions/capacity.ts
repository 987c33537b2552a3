import { Ec2Error } from '../ec2-error.ts';
import { type Call, faultOf, type Region } from '../region.ts';

/** @throws InsufficientInstanceCapacity (500) when the zone has no room for this type. */
export function takeCapacity(region: Region, call: Call, az: string, instanceType: string, count: number): void {
  const key = `${az}/${instanceType}`;
  const left = region.capacity.get(key);
  if (faultOf(call, 'capacity') || (left !== undefined && left < count)) {
    throw new Ec2Error(
      'InsufficientInstanceCapacity',
      `We currently do not have sufficient ${instanceType} capacity in the Availability Zone you requested (${az}).`,
    );
  }
  if (left !== undefined) region.capacity.set(key, left - count);
}

/** A place that nothing uses any more. */
export function giveCapacityBack(region: Region, az: string, instanceType: string, count: number): void {
  const key = `${az}/${instanceType}`;
  const left = region.capacity.get(key);
  if (left !== undefined) region.capacity.set(key, left + count);
}
