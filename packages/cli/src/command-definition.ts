import { type Command, Option } from 'commander';
import { addClientOptions } from './options/client-options.ts';
import { addMutationOptions } from './options/mutation-options.ts';
import { EXIT_MEANINGS, type ExitName } from './exit-codes.ts';
import type { ProgramContext } from './program-context.ts';

/** A command line and what it is good for. A test parses every one of them. */
export interface Example {
  readonly line: string;
  readonly what: string;
}

/**
 * What a command does decides which options it takes, so that they are the same everywhere:
 * - `read`: asks coordinators; which one, `--json`, `--watch`;
 * - `mutation`: asks coordinators to change something; which one, `--json`, `--yes`, `--reason`;
 * - `local-read`: shows something that no coordinator is asked for; `--json`;
 * - `local`: changes files here; no shared option;
 * - `process`: runs until it is stopped; no shared option.
 */
export type CommandKind = 'read' | 'mutation' | 'local-read' | 'local' | 'process';

/** One command. It stands in a file of its own in `commands/` and in `registry.ts`. */
export interface CommandDefinition {
  /** The words that name it: `status`, or `keys status`. */
  readonly name: string;
  readonly summary: string;
  readonly kind: CommandKind;
  readonly examples: readonly Example[];
  /** Beside those that any command may end with. */
  readonly exits?: readonly ExitName[];
  /** An older name, or for other programs: not listed by `--help`. */
  readonly hidden?: true;
  /** A read that is followed in another way than by reading again. */
  readonly watch?: false;
  /** Adds arguments, options of its own and the action. */
  readonly define: (command: Command, context: ProgramContext) => void;
}

const GROUPS: Readonly<Record<CommandKind, string>> = {
  read: 'See and ask:',
  mutation: 'Decide (each asks first, and is recorded with who and why):',
  'local-read': 'Look at one machine:',
  local: 'Prepare:',
  process: 'Run:',
};

/** Any command may end with these. */
const COMMON: readonly ExitName[] = ['ok', 'failed', 'usage', 'software', 'output', 'config'];
const ASKING: readonly ExitName[] = ['unavailable'];

/** The exits of a command, in the order of their codes. */
export function exitsOf({ kind, exits = [] }: CommandDefinition): readonly ExitName[] {
  const asks = kind === 'read' || kind === 'mutation';
  const names = new Set([...COMMON, ...(asks ? ASKING : []), ...exits]);
  return (Object.keys(EXIT_MEANINGS) as ExitName[]).filter((name) => names.has(name));
}

function helpText(definition: CommandDefinition): string {
  const examples = definition.examples.flatMap(({ line, what }) => [`  $ ${line}`, `      ${what}`]);
  const exits = exitsOf(definition).map((name) => {
    const { code, means } = EXIT_MEANINGS[name];
    return `  ${String(code).padStart(3)}  ${means}`;
  });
  return ['', 'Examples:', ...examples, '', 'Exit codes:', ...exits].join('\n');
}

function addSharedOptions(command: Command, { kind, watch }: CommandDefinition): void {
  if (kind === 'read' || kind === 'mutation') addClientOptions(command);
  if (kind === 'mutation') addMutationOptions(command);
  if (kind !== 'local' && kind !== 'process') command.option('--json', 'machine-readable output');
  if ((kind === 'read' || kind === 'local-read') && watch !== false)
    command.option('--watch', 'read again every second until interrupted');
}

/** Adds the command below its parent, from which it inherits how errors end. */
export function addCommand(parent: Command, definition: CommandDefinition, context: ProgramContext): void {
  const word = definition.name.split(' ').at(-1) ?? definition.name;
  const command = parent
    .command(word, { hidden: definition.hidden === true })
    .description(definition.summary)
    .helpGroup(GROUPS[definition.kind])
    .addHelpText('after', () => helpText(definition))
    .addOption(new Option('--color <when>', 'auto, always or never').choices(['auto', 'always', 'never']));
  definition.define(command, context);
  addSharedOptions(command, definition);
}
