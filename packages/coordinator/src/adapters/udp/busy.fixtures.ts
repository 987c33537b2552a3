/** Holds this thread. */
export function computeFor(durationMs: number): void {
  const untilMs = performance.now() + durationMs;
  while (performance.now() < untilMs);
}

/** Work in every turn of the event loop, with next to no rest, until stopped. Returns the share of time that was work. */
export function keepLoopBusy(chunkMs: number): () => number {
  let busyMs = 0;
  let running = true;
  const sinceMs = performance.now();
  const work = () => {
    const fromMs = performance.now();
    computeFor(chunkMs);
    busyMs += performance.now() - fromMs;
    if (running) setImmediate(work);
  };
  setImmediate(work);
  return () => {
    running = false;
    return busyMs / (performance.now() - sinceMs);
  };
}
