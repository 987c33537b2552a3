import { type Command, Option } from 'commander';
import type { ClientOptions } from './client-options.ts';

/** The shared options of a command that changes something. */
export interface MutationOptions extends ClientOptions {
  readonly json?: boolean;
  readonly yes?: boolean;
  readonly reason?: string;
  /** The older spelling of `reason`. */
  readonly why?: string;
}

export function addMutationOptions(command: Command): void {
  command
    .option('--reason <text>', 'why, for whoever reads the history')
    .addOption(new Option('--why <text>', 'the older spelling of --reason').hideHelp())
    .option('--yes', 'do not ask: for scripts, and where there is no terminal; needs --reason');
}

export const reasonOf = ({ reason, why }: MutationOptions): string | null => {
  const text = (reason ?? why ?? '').trim();
  return text === '' ? null : text;
};
