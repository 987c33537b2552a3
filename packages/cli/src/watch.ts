import type { Clock } from '@understudy/shared';
import { errorText } from '@understudy/shared';
import logUpdate from 'log-update';

export interface OutputOptions {
  readonly json: boolean;
  readonly watch: boolean;
}

const REFRESH_MS = 1_000;

/**
 * Prints `read()` once, or again and again until interrupted: text redraws in place on a terminal, JSON is one line per reading.
 * While watching, a failed reading is shown and the next one tried.
 */
export async function present<T>(
  clock: Clock,
  options: OutputOptions,
  read: () => Promise<T>,
  text: (value: T) => string,
): Promise<void> {
  const render = (value: T) => (options.json ? JSON.stringify(value) : text(value));
  if (!options.watch) {
    process.stdout.write(`${options.json ? JSON.stringify(await read(), null, 2) : text(await read())}\n`);
    return;
  }
  const redraw = process.stdout.isTTY && !options.json;
  for (;;) {
    const shown = await read().then(render, (error: unknown) =>
      options.json ? JSON.stringify({ error: errorText(error) }) : errorText(error),
    );
    if (redraw) logUpdate(shown);
    else process.stdout.write(`${shown}\n`);
    await clock.sleep(REFRESH_MS);
  }
}
