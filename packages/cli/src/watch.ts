import { type Clock, errorText } from '@understudy/shared';
import logUpdate from 'log-update';
import { changesOf, type Facts } from './changes.ts';
import { complain, print, type Shown, shownJson, shownOf, shownText } from './terminal.ts';
import { timeText } from './views/format.ts';
import { type Screen, standardOutput } from './views/screen.ts';

export interface OutputOptions {
  readonly json: boolean;
  readonly watch: boolean;
}

/** What makes a reading more than its text. */
export interface Presenting<T> {
  /** What of a value may change, for one line a change where the output is piped. */
  readonly facts?: (value: T) => Facts;
  /** What has to be known about what is shown: that it is old. Null: nothing. */
  readonly notice?: () => Promise<string | null>;
  /** What `--json` prints. Default: the value. */
  readonly json?: (value: T) => unknown;
}

const REFRESH_MS = 1_000;

/** Says what an interrupt ends and what it does not, then ends as the signal would have. */
function tellAtInterrupt(redraws: boolean): () => void {
  const onInterrupt = (): void => {
    if (redraws) logUpdate.done();
    complain('understudy: stopped watching; what was watched goes on');
    process.kill(process.pid, 'SIGINT');
  };
  process.once('SIGINT', onInterrupt);
  return () => void process.off('SIGINT', onInterrupt);
}

/** One reading, and how it is printed. */
class Reading<T> {
  readonly #read: () => Promise<T>;
  readonly #text: (value: T, screen: Screen) => string;
  readonly #more: Presenting<T>;

  constructor(read: () => Promise<T>, text: (value: T, screen: Screen) => string, more: Presenting<T>) {
    this.#read = read;
    this.#text = text;
    this.#more = more;
  }

  /** The notice is asked for first, so that it comes from the coordinator that answers. */
  async take(): Promise<{ readonly value: T; readonly notice: string | null }> {
    const notice = (await this.#more.notice?.()) ?? null;
    return { value: await this.#read(), notice };
  }

  json(value: T, indent: 0 | 2): Shown {
    return shownJson(this.#more.json === undefined ? value : this.#more.json(value), indent);
  }

  text(value: T, notice: string | null): Shown {
    const screen = standardOutput();
    const shown = shownOf(value, (harmless) => this.#text(harmless, screen));
    return notice === null ? shown : (`${shownText(notice)}\n\n${shown}` as Shown);
  }

  facts(value: T): Facts | null {
    return this.#more.facts?.(value) ?? null;
  }
}

/**
 * Prints `read()` once, or again and again until interrupted. Text redraws in place on a terminal;
 * elsewhere a whole text is followed by a line for each change. JSON is one line per reading. While
 * watching, a failed reading is shown and the next one tried.
 */
export async function present<T>(
  clock: Clock,
  options: OutputOptions,
  read: () => Promise<T>,
  text: (value: T, screen: Screen) => string,
  more: Presenting<T> = {},
): Promise<void> {
  const reading = new Reading(read, text, more);
  if (options.watch) return watch(clock, options.json, reading);
  const { value, notice } = await reading.take();
  if (!options.json) return print(reading.text(value, notice));
  if (notice !== null) complain(`understudy: ${notice}`);
  print(reading.json(value, 2));
}

async function watch<T>(clock: Clock, json: boolean, reading: Reading<T>): Promise<void> {
  const redraws = process.stdout.isTTY && !json;
  const dispose = tellAtInterrupt(redraws);
  const show = json ? jsonLines(reading) : redraws ? redrawn(reading) : changeLines(reading, clock);
  try {
    for (;;) {
      await show();
      await clock.sleep(REFRESH_MS);
    }
  } finally {
    dispose();
  }
}

const jsonLines =
  <T>(reading: Reading<T>) =>
  async (): Promise<void> => {
    const shown = await reading.take().then(
      ({ value }) => reading.json(value, 0),
      (error: unknown) => shownJson({ error: errorText(error) }, 0),
    );
    print(shown);
  };

const redrawn =
  <T>(reading: Reading<T>) =>
  async (): Promise<void> => {
    const shown = await reading.take().then(
      ({ value, notice }) => reading.text(value, notice),
      (error: unknown) => shownText(errorText(error)),
    );
    logUpdate(shown);
  };

/**
 * The first reading as a whole, then a line for each change. A text without facts is printed anew.
 */
function changeLines<T>(reading: Reading<T>, clock: Clock): () => Promise<void> {
  let last: Facts | null = null;
  let trouble: string | null = null;
  const say = (line: string): void => print(shownText(`${timeText(clock.wallMs()).slice(11)} ${line}`));
  const told = (problem: string | null): void => {
    if (problem !== null && problem !== trouble) say(problem);
    if (problem === null && trouble !== null) say('it is known again, and not old');
    trouble = problem;
  };
  return async () => {
    try {
      const { value, notice } = await reading.take();
      const facts = reading.facts(value);
      if (last === null || facts === null) print(reading.text(value, null));
      else for (const line of changesOf(last, facts)) say(line);
      last = facts;
      told(notice);
    } catch (error) {
      told(errorText(error));
    }
  };
}
