import { runInNewContext } from 'node:vm';
import { OperationError } from '@understudy/shared';

/** Longer than any condition that is meant well takes over a few hundred documents. */
const WORK_MAX_MS = 500;

/**
 * Runs work that somebody else's regular expression may make endless. JavaScript has no other way
 * to bound one.
 * @throws INVENTORY_QUERY_SLOW
 */
export function bounded<T>(work: () => T, maxMs = WORK_MAX_MS): T {
  const made: { value?: T } = {};
  const run = (): void => {
    made.value = work();
  };
  try {
    runInNewContext('run()', { run }, { timeout: maxMs });
  } catch (error) {
    // It is an error of the other realm, so `instanceof Error` does not know it.
    const code: unknown = typeof error === 'object' && error !== null ? Reflect.get(error, 'code') : null;
    if (code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
    throw new OperationError('INVENTORY_QUERY_SLOW', `a condition took more than ${maxMs} ms`, { cause: error });
  }
  return made.value as T;
}
