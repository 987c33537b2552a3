import { createHash, timingSafeEqual } from 'node:crypto';
import type { ExplainView } from '@understudy/shared';

/**
 * Who asks. `refused`: shows a token, and it is not ours; that is said, since whoever shows one
 * expects to be known.
 */
export type Reader = 'operator' | 'anybody' | 'refused';

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Compared in constant time, whatever the lengths. */
export function readerOf(authorization: string | undefined, operatorToken: string | null): Reader {
  if (authorization === undefined) return 'anybody';
  const shown = /^Bearer +(\S+) *$/i.exec(authorization)?.[1];
  if (operatorToken === null || shown === undefined) return 'refused';
  return timingSafeEqual(digest(shown), digest(operatorToken)) ? 'operator' : 'refused';
}

/** That there is console output may be known; what it says is the operator's. */
export const withoutConsole = (view: ExplainView): ExplainView =>
  view.console === null ? view : { ...view, console: { ...view.console, text: null } };
