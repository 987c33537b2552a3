import { carryOut, printResult } from '../control/carry-out.ts';
import { ControlClient } from '../control/control-client.ts';
import { pauseOf, pauseText, readPauses, waitUntilHonoured } from '../control/pauses.ts';
import { parseMoment, type Scope, scopeOf, untilOf } from '../control/scope.ts';
import type { CommandDefinition } from '../command-definition.ts';
import { EndingTold, EXIT } from '../exit-codes.ts';
import { parseDuration } from '../options/parsers.ts';
import type { MutationOptions } from '../options/mutation-options.ts';
import type { ProgramContext } from '../program-context.ts';
import { complain } from '../terminal.ts';

const WAIT_MS = 30_000;

interface PauseOptions extends MutationOptions {
  readonly lasting?: number;
  readonly until?: number;
  readonly replace?: boolean;
  readonly wait?: boolean;
}

async function run(context: ProgramContext, { scope, path }: Scope, options: PauseOptions): Promise<void> {
  const { clock } = context;
  const client = new ControlClient(context, options);
  const there = pauseOf(await readPauses(client), scope);
  const body = {
    untilWallMs: untilOf(options, clock.wallMs()),
    replaces: options.replace === true ? (there?.revision ?? null) : null,
  };
  const now = there === null ? '' : `now: ${pauseText(there)}`;
  const sent = { method: 'POST', path: `${path}/pause`, body } as const;
  printResult(await carryOut(client, { sent, now }, options), options);
  if (options.wait !== true) return;
  const { by, notYet } = await waitUntilHonoured(client, clock, scope, WAIT_MS);
  complain(
    `${by.length}/${by.length + notYet.length} coordinators honour it${by.length > 0 ? `: ${by.join(', ')}` : ''}`,
  );
  if (notYet.length > 0) throw new EndingTold(EXIT.timeOver, `not seen yet by ${notYet.join(', ')}`);
}

export const pause: CommandDefinition = {
  name: 'pause',
  summary: 'begin no recovery of a member, a group, or anybody; those that were begun go on, and so does detection',
  kind: 'mutation',
  exits: ['timeOver'],
  examples: [
    { line: "understudy pause db --lasting 2h --reason 'kernel upgrade'", what: 'the group db, for two hours' },
    { line: 'understudy pause db/one --wait --yes --reason TEXT', what: 'until every coordinator honours it' },
    { line: "understudy pause all --until 2026-12-01T06:00:00Z --reason 'moving house'", what: 'everybody' },
  ],
  define: (command, context) => {
    command
      .argument('<scope>', 'all, a group, or group/name', scopeOf)
      .option('--lasting <duration>', 'it ends by itself after this time, such as 2h', parseDuration)
      .option('--until <moment>', 'it ends by itself at this moment', parseMoment)
      .option('--replace', "take the place of the pause that is there, also of somebody else's")
      .option('--wait', 'wait until every coordinator that is present honours it, at most 30 s')
      .action((scope: Scope, options: PauseOptions) => run(context, scope, options));
  },
};
