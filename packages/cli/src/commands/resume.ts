import { carryOut, printResult } from '../control/carry-out.ts';
import { ControlClient } from '../control/control-client.ts';
import { pauseOf, pauseText, readPauses } from '../control/pauses.ts';
import { type Scope, scopeOf } from '../control/scope.ts';
import type { CommandDefinition } from '../command-definition.ts';
import type { MutationOptions } from '../options/mutation-options.ts';
import type { ProgramContext } from '../program-context.ts';

interface ResumeOptions extends MutationOptions {
  readonly of?: string;
}

/** On a terminal the person sees whose pause it is. A script names whose it means. */
async function run(context: ProgramContext, { scope, path }: Scope, options: ResumeOptions): Promise<void> {
  const client = new ControlClient(context, options);
  const there = pauseOf(await readPauses(client), scope);
  const isShown = options.yes !== true || (options.of !== undefined && options.of === there?.who);
  const body = { revision: isShown ? (there?.revision ?? null) : null };
  const now = there === null ? '' : `now: ${pauseText(there)}`;
  const sent = { method: 'POST', path: `${path}/resume`, body } as const;
  printResult(await carryOut(client, { sent, now }, options), options);
}

export const resume: CommandDefinition = {
  name: 'resume',
  summary: 'end exactly the pause that is shown',
  kind: 'mutation',
  examples: [
    { line: 'understudy resume db', what: 'shows whose pause it is, and asks' },
    { line: 'understudy resume all --of ann --yes --reason done', what: "a script; only if it is Ann's" },
  ],
  define: (command, context) => {
    command
      .argument('<scope>', 'all, a group, or group/name', scopeOf)
      .option('--of <who>', "with --yes: also somebody else's pause, if it is theirs")
      .action((scope: Scope, options: ResumeOptions) => run(context, scope, options));
  },
};
