import { Command } from 'commander';
import { addCommand } from './command-definition.ts';
import { EXIT_MEANINGS } from './exit-codes.ts';
import type { ProgramContext } from './program-context.ts';
import { COMMANDS, PARENTS } from './registry.ts';

const EXITS = Object.values(EXIT_MEANINGS)
  .map(({ code, means }) => `  ${String(code).padStart(3)}  ${means}`)
  .join('\n');

/** The command under which `words` stands, made where it is not there yet. */
function parentOf(program: Command, words: readonly string[]): Command {
  const [word] = words;
  if (word === undefined || words.length < 2) return program;
  const known = program.commands.find((one) => one.name() === word);
  if (known !== undefined) return known;
  const { summary = '', group = '' } = PARENTS[word] ?? {};
  return program.command(word).description(summary).helpGroup(group);
}

/**
 * The whole command line. Actions throw, and `main.ts` turns errors into messages and exit codes.
 */
export function buildProgram(context: ProgramContext): Command {
  const program = new Command('understudy')
    .description('Replaces a failed stateful EC2 instance, with its data, its address and its name, exactly once.')
    .version('0.1.0')
    .exitOverride()
    .addHelpText('after', `\nExit codes:\n${EXITS}\n\nunderstudy COMMAND --help has examples.`);
  for (const definition of COMMANDS) addCommand(parentOf(program, definition.name.split(' ')), definition, context);
  return program;
}
