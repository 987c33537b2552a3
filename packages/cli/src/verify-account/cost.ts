import type { Use } from './question.ts';

/**
 * On-demand list prices of us-east-1 in USD, as of 2026-11 (aws.amazon.com/ec2/pricing/on-demand,
 * /ebs/pricing). Other Regions ask up to twice as much.
 */
const INSTANCE_HOUR_USD: Readonly<Record<string, number>> = {
  't3.micro': 0.0104,
  't3.small': 0.0208,
  't4g.micro': 0.0084,
  't4g.small': 0.0168,
};
/** A public address, where the subnet gives one. */
const ADDRESS_HOUR_USD = 0.005;
/** gp3 0.08 USD and a snapshot 0.05 USD a GiB and month of 730 h. */
const GIB_HOUR_USD = 0.13 / 730;

/** What an hour of the type costs. Null: not known here, so the operator has to say. */
export const hourPriceOf = (instanceType: string): number | null => INSTANCE_HOUR_USD[instanceType] ?? null;

/** About so much, in USD: if nothing takes longer than supposed, and the root disk has 8 GiB. */
export function costOf({ instances, minutes, diskGiB }: Use, instanceHourUsd: number): number {
  return (minutes / 60) * (instances * (instanceHourUsd + ADDRESS_HOUR_USD) + diskGiB * GIB_HOUR_USD);
}
