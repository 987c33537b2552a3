import { InvalidArgumentError } from 'commander';

/** Days that browsers and libraries still accept for a server (CA/Browser Forum: 398). */
export const LEAF_DAYS = 365;
export const AUTHORITY_DAYS = 3_650;

/** A number of days, as an option takes it. */
export function daysOption(text: string): number {
  const days = Number(text);
  if (Number.isInteger(days) && days >= 1 && days <= 36_500) return days;
  throw new InvalidArgumentError('want a number of days, 1-36500');
}
