import { createInterface } from 'node:readline/promises';
import { EndingTold, EXIT } from './exit-codes.ts';
import { type MutationOptions, reasonOf } from './options/mutation-options.ts';
import { complain } from './terminal.ts';

/** Where a person is asked. */
export interface Asker {
  /** Null: nobody can be asked, because this is no terminal. */
  readonly ask: ((question: string) => Promise<string>) | null;
}

/** Asks on standard error and reads standard input, so that standard output stays the answer. */
export function terminalAsker(): Asker {
  const { stdin, stderr } = process;
  if (!stdin.isTTY || !stderr.isTTY) return { ask: null };
  return {
    ask: async (question) => {
      const lines = createInterface({ input: stdin, output: stderr });
      try {
        return (await lines.question(question)).trim();
      } finally {
        lines.close();
      }
    },
  };
}

/** What is about to be done. */
export interface Proposal {
  /** What will be done and to what, in lines. */
  readonly text: string;
  /** The name to type instead of `y`, for what cannot be taken back. */
  readonly typed?: string;
}

function refuse(text: string): EndingTold {
  complain(`understudy: ${text}`);
  return new EndingTold(EXIT.usage, text);
}

async function agreed(ask: (question: string) => Promise<string>, { typed }: Proposal): Promise<boolean> {
  if (typed === undefined) return /^y(?:es)?$/i.test(await ask('Go on? [y/N] '));
  return (await ask(`Type ${typed} to go on: `)) === typed;
}

/**
 * Shows on standard error what a command will do, and asks. With `--yes` nobody is asked.
 * @returns the reason, which is asked for where it was not given
 * @throws EndingTold without a terminal to ask on, without a reason, or when the answer is no
 */
export async function consentTo(
  proposal: Proposal,
  options: MutationOptions,
  asker: Asker = terminalAsker(),
): Promise<string> {
  complain(proposal.text);
  const given = reasonOf(options);
  if (options.yes === true) {
    if (given === null) throw refuse('--yes needs a reason: add --reason TEXT');
    return given;
  }
  const { ask } = asker;
  if (ask === null) throw refuse('there is no terminal to ask on: add --yes --reason TEXT');
  const reason = given ?? (await ask('Reason: '));
  if (reason === '') throw refuse('nothing was done: a reason is needed');
  if (await agreed(ask, proposal)) return reason;
  complain('understudy: nothing was done');
  throw new EndingTold(EXIT.failed, 'nothing was done');
}
