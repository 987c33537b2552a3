import { type Clock, errorText } from '@understudy/shared';
import logUpdate from 'log-update';
import { print, shownJson, shownOf, shownText } from './terminal.ts';

export interface OutputOptions {
  readonly json: boolean;
  readonly watch: boolean;
}

const REFRESH_MS = 1_000;

/**
 * Prints `read()` once, or again and again until interrupted. Text redraws in place on a terminal;
 * JSON is one line per reading. While watching, a failed reading is shown and the next one tried.
 */
export async function present<T>(
  clock: Clock,
  options: OutputOptions,
  read: () => Promise<T>,
  text: (value: T) => string,
): Promise<void> {
  const render = (value: T, indent: 0 | 2) => (options.json ? shownJson(value, indent) : shownOf(value, text));
  if (!options.watch) return print(render(await read(), 2));
  const redraw = process.stdout.isTTY && !options.json;
  for (;;) {
    const shown = await read().then(
      (value) => render(value, 0),
      (error: unknown) => (options.json ? shownJson({ error: errorText(error) }, 0) : shownText(errorText(error))),
    );
    if (redraw) logUpdate(shown);
    else print(shown);
    await clock.sleep(REFRESH_MS);
  }
}
