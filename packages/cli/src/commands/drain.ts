import { DrainsViewSchema } from '@understudy/shared';
import { carryOut, printResult } from '../control/carry-out.ts';
import { ControlClient } from '../control/control-client.ts';
import { parseMoment, untilOf } from '../control/scope.ts';
import type { CommandDefinition } from '../command-definition.ts';
import { parseDuration } from '../options/parsers.ts';
import type { MutationOptions } from '../options/mutation-options.ts';
import type { ProgramContext } from '../program-context.ts';

interface DrainOptions extends MutationOptions {
  readonly lasting?: number;
  readonly until?: number;
  readonly overrideMinimum?: boolean;
}

async function run(context: ProgramContext, coordinator: string, options: DrainOptions): Promise<void> {
  const client = new ControlClient(context, options);
  const { present } = await client.read(DrainsViewSchema, '/v1/drains');
  const own = present.find((one) => one.coordinatorId === coordinator);
  const now = own ? `now: ${coordinator} in ${own.az} ${own.leader ? 'leads' : 'follows'}` : '';
  const body = { untilWallMs: untilOf(options, context.clock.wallMs()), override: options.overrideMinimum === true };
  const sent = { method: 'POST', path: `/v1/coordinators/${encodeURIComponent(coordinator)}/drain`, body } as const;
  printResult(await carryOut(client, { sent, now }, options), options);
}

export const drain: CommandDefinition = {
  name: 'drain',
  summary:
    'before maintenance: a coordinator leads only where nobody else can, and accuses nobody; it goes on listening',
  kind: 'mutation',
  examples: [
    { line: "understudy drain c2 --lasting 1h --reason 'new kernel'", what: 'refused where too few would be left' },
  ],
  define: (command, context) => {
    command
      .argument('<coordinator>', 'its id')
      .option('--lasting <duration>', 'it ends by itself after this time, such as 2h', parseDuration)
      .option('--until <moment>', 'it ends by itself at this moment', parseMoment)
      .option('--override-minimum', 'also where too few are left to call anybody dead')
      .action((coordinator: string, options: DrainOptions) => run(context, coordinator, options));
  },
};
