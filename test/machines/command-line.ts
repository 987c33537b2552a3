import { parseArgs } from 'node:util';
import type { Scenario } from './scenario.ts';

export const USAGE = `usage: npm run machines -- [--only NAME]… [--list] [--keep] [--small]
  --only NAME   run the scenarios whose name contains NAME, and the first boot, which all of them need
  --list        print the table of scenarios and end
  --keep        leave the machines running at the end, to look around; Ctrl-C ends them
  --small       one coordinator instead of three: quicker, and not for every scenario`;

export interface CommandLine {
  readonly scenarios: readonly Scenario[];
  readonly list: boolean;
  readonly keep: boolean;
  readonly small: boolean;
}

/** The command, or in words what is wrong with it. */
export function readCommandLine(args: readonly string[], all: readonly Scenario[]): CommandLine | string {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        only: { type: 'string', multiple: true, default: [] },
        list: { type: 'boolean', default: false },
        keep: { type: 'boolean', default: false },
        small: { type: 'boolean', default: false },
      },
    });
    const { only, list, keep, small } = values;
    const unknown = only.find((name) => !all.some((one) => one.name.includes(name)));
    if (unknown !== undefined) return `no scenario is called ${unknown}; --list shows them all.`;
    const wanted = ({ name }: Scenario, index: number) =>
      index === 0 || only.length === 0 || only.some((part) => name.includes(part));
    const scenarios = all.filter(wanted).filter(({ needsThree }) => !small || needsThree !== true);
    return { scenarios, list, keep, small };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
