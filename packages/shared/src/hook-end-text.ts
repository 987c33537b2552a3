import type { FailureHook } from './records/failure-hook.ts';

/** What came of a hook on failure, in words. */
export const hookEndText = ({ ended }: Pick<FailureHook, 'ended'>): string => {
  if (!ended) return 'runs, or is to be run';
  return ended.passed ? 'passed' : `failed: ${ended.text}`;
};
