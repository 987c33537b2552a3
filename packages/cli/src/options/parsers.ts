import { durationOf } from '@understudy/shared';
import { InvalidArgumentError } from 'commander';

/** Parses a duration such as `30s`, `5m`, `2h`, into ms. */
export function parseDuration(text: string): number {
  const ms = durationOf(text);
  if (ms !== null) return ms;
  throw new InvalidArgumentError('want a duration with its unit, such as 30s, 5m, 2h or 1d');
}
