type TickCallback = () => void;

/**
 * What Node runs after each callback from the event loop: next ticks and promise jobs until there
 * are none left. Undocumented, but as old as Node.
 */
const runTicks = (process as unknown as { readonly _tickCallback?: TickCallback })._tickCallback;

/**
 * Runs every promise job that is waiting, and those they make, and returns when there are none.
 * Works only outside of a promise job. A turn of the event loop does the same, but takes a few
 * microseconds; with hundreds of events per simulated second that would halve the speed.
 */
export function drainPromises(): void {
  if (runTicks === undefined)
    throw new Error('this Node cannot drain promises synchronously: use the Node of the project');
  runTicks.call(process);
}
