import { Argument } from 'commander';
import type { CommandDefinition } from '../command-definition.ts';
import { COMPLETION_SCRIPTS, SHELLS, type Shell } from '../completion/scripts.ts';
import { printScript } from '../terminal.ts';

export const completion: CommandDefinition = {
  name: 'completion',
  summary: 'the script with which a shell completes commands, options, members, groups, recoveries and contexts',
  kind: 'local',
  examples: [
    { line: 'understudy completion bash', what: 'add to ~/.bashrc: source <(understudy completion bash)' },
    { line: 'understudy completion zsh', what: 'add to ~/.zshrc, after compinit: source <(understudy completion zsh)' },
    { line: 'understudy completion fish', what: 'write it to ~/.config/fish/completions/understudy.fish' },
  ],
  define: (command) => {
    command
      .addArgument(new Argument('<shell>', 'bash, zsh or fish').choices([...SHELLS]))
      .action((shell: Shell) => printScript(COMPLETION_SCRIPTS[shell]));
  },
};

/** The words as far as they are typed, the last one being typed. For the scripts. */
export const complete: CommandDefinition = {
  name: 'complete',
  summary: 'what may follow; for the scripts of `completion`',
  kind: 'local',
  hidden: true,
  examples: [{ line: 'understudy complete -- explain db', what: 'a line for each: value, tab, description' }],
  define: (command, context) => {
    command.argument('[words...]', 'the words so far').action(async (words: string[]) => {
      const { complete: offer } = await import('../completion/completions.ts');
      const offers = await offer(command.parent ?? command, words, context);
      // What a description says stands behind a tab, which makes it no part of the value.
      if (offers === 'files') printScript(':0\n');
      else printScript(offers.map(([value, about]) => `${value}\t${about}\n`).join(''));
    });
  },
};
