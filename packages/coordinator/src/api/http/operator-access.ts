import { createHash, timingSafeEqual } from 'node:crypto';
import type { ExplainView } from '@understudy/shared';

/**
 * The caller's standing. `refused`: it shows a token that is not ours. It is told so, since a
 * caller that shows a token expects to be known.
 */
export type Reader = 'operator' | 'anybody' | 'refused';

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Compares in constant time, whatever the lengths. */
export function readerOf(authorization: string | undefined, operatorToken: string | null): Reader {
  if (authorization === undefined) return 'anybody';
  const shown = /^Bearer +(\S+) *$/i.exec(authorization)?.[1];
  if (operatorToken === null || shown === undefined) return 'refused';
  return timingSafeEqual(digest(shown), digest(operatorToken)) ? 'operator' : 'refused';
}

/** Everybody may know that there is console output. Its text is for operators only. */
export const withoutConsole = (view: ExplainView): ExplainView =>
  view.console === null ? view : { ...view, console: { ...view.console, text: null } };
