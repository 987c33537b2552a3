import { parseArgs } from 'node:util';
import type { Scenario } from './scenario.ts';

export const USAGE = `usage: pnpm run faults [--only NAME]… [--list] [--keep]
  --only NAME   run the scenarios whose name contains NAME; may be given several times
  --list        print the table of scenarios and end
  --keep        leave the lab running at the end, to look around; Ctrl-C ends it`;

export interface CommandLine {
  readonly scenarios: readonly Scenario[];
  readonly list: boolean;
  readonly keep: boolean;
}

/** The command, or in words what is wrong with it. */
export function readCommandLine(args: readonly string[], all: readonly Scenario[]): CommandLine | string {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        only: { type: 'string', multiple: true },
        // We set this ourselves, for the process inside: names are taken as they are.
        exactly: { type: 'string', multiple: true },
        list: { type: 'boolean' },
        keep: { type: 'boolean' },
      },
    });
    const wanted = values.only ?? [];
    const unknown = wanted.find((name) => !all.some((one) => one.name.includes(name)));
    if (unknown !== undefined) return `no scenario is called ${unknown}; --list shows them all.`;
    const isWanted = ({ name }: Scenario) =>
      values.exactly?.includes(name) ?? (wanted.length === 0 || wanted.some((part) => name.includes(part)));
    const scenarios = all.filter(isWanted);
    return { scenarios, list: values.list ?? false, keep: values.keep ?? false };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
