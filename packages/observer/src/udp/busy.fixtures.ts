/** Holds this thread. */
export function computeFor(durationMs: number): void {
  const untilMs = performance.now() + durationMs;
  while (performance.now() < untilMs);
}

const CHUNK_MAX_MS = 400;

/**
 * Work in every turn of the event loop until stopped: chunks, longer where that takes to keep 93 %
 * busy. Returns the share of time that was work.
 */
export function keepLoopBusy(chunkMs: number): () => number {
  let busyMs = 0;
  let running = true;
  const sinceMs = performance.now();
  const work = () => {
    const fromMs = performance.now();
    const restedMs = fromMs - sinceMs - busyMs;
    computeFor(Math.min(CHUNK_MAX_MS, Math.max(chunkMs, restedMs * 13 - busyMs)));
    busyMs += performance.now() - fromMs;
    if (running) setImmediate(work);
  };
  setImmediate(work);
  return () => {
    running = false;
    return busyMs / (performance.now() - sinceMs);
  };
}
