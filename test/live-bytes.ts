import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Live bytes, in and out of the heap, after a full collection. */
export function liveBytes(): number {
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  collect();
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
