import { durationText, errorText } from '@understudy/shared';
import { type Command, Option } from 'commander';
import type { CommandDefinition } from '../command-definition.ts';
import { EXIT } from '../exit-codes.ts';
import { clientOf, type ClientOptions } from '../options/client-options.ts';
import { parseDuration } from '../options/parsers.ts';
import { complain, print, shownJson, shownText } from '../terminal.ts';
import { type Condition, CONDITIONS, conditionOf } from '../waiting/condition.ts';
import { type WaitEnd, waitFor } from '../waiting/wait.ts';

interface WaitOptions extends ClientOptions {
  readonly for: string;
  readonly timeout: number;
  readonly json?: boolean;
}

const EXITS: Readonly<Record<WaitEnd, number>> = {
  met: EXIT.ok,
  never: EXIT.failed,
  'time-over': EXIT.timeOver,
  'not-yet': EXIT.timeOver,
};

const TIMEOUT_MS = 600_000;
const MEANINGS = Object.entries(CONDITIONS)
  .map(([name, { object, means }]) => `${name}${object === null ? '' : ` ${object.toUpperCase()}`}: ${means}`)
  .join('; ');

/** A name too many or too few is wrong usage. */
function askedCondition(command: Command, asked: string, name: string | undefined): Condition {
  try {
    return conditionOf(asked, name);
  } catch (error) {
    return command.error(`error: ${errorText(error)}`);
  }
}

export const wait: CommandDefinition = {
  name: 'wait',
  summary: 'wait until something is so, and say by the exit code whether it is',
  kind: 'read',
  watch: false,
  exits: ['timeOver'],
  examples: [
    { line: 'understudy wait --for recovered db/one --timeout 10m', what: 'in a script, after breaking something' },
    { line: 'understudy wait --for healthy db', what: 'every member of the group' },
    { line: 'understudy wait --for leader --timeout 30s', what: 'after a restart of the coordinators' },
  ],
  define: (command, { clock, environment }) => {
    command
      .argument('[name]', 'member, recovery or group that it is about')
      .addOption(new Option('--for <condition>', MEANINGS).choices(Object.keys(CONDITIONS)).makeOptionMandatory())
      .option('--timeout <duration>', 'the longest time, such as 30s, 10m', parseDuration, TIMEOUT_MS)
      .action(async (name: string | undefined, options: WaitOptions) => {
        const condition = askedCondition(command, options.for, name);
        const client = clientOf(options, environment);
        let last = '';
        const tell = (text: string): void => {
          last = text;
          if (options.json !== true) print(shownText(text));
        };
        const end = await waitFor({ client, clock }, condition, options.timeout, tell);
        if (options.json === true) print(shownJson({ end, text: last }, 2));
        if (end === 'time-over')
          complain(`understudy: not so after ${durationText(options.timeout)}; whatever is going on goes on`);
        process.exitCode = EXITS[end];
      });
  },
};
