import { parseMemberId, type WhatIfScenario, type WhatIfView, WhatIfViewSchema } from '@understudy/shared';
import type { Command } from 'commander';
import type { CommandDefinition } from '../command-definition.ts';
import { ControlClient } from '../control/control-client.ts';
import { outputOf, type ReadOptions } from '../options/output-options.ts';
import type { Screen } from '../views/screen.ts';
import { whatIfText } from '../views/what-if-view.ts';
import { present } from '../watch.ts';

interface SimulateOptions extends ReadOptions {
  readonly zoneLost?: string;
  readonly member?: string;
  readonly coordinator?: string;
}

/** Exactly one of them is asked about. */
function scenarioOf({ zoneLost, member, coordinator }: SimulateOptions, command: Command): WhatIfScenario {
  const named = [
    ...(zoneLost === undefined ? [] : [{ kind: 'zone-lost', name: zoneLost } as const]),
    ...(member === undefined ? [] : [{ kind: 'member', name: parseMemberId(member).member } as const]),
    ...(coordinator === undefined ? [] : [{ kind: 'coordinator', name: coordinator } as const]),
  ];
  const [one] = named;
  if (one === undefined || named.length > 1)
    return command.error('error: name one of --zone-lost, --member and --coordinator');
  return one;
}

export const simulate: CommandDefinition = {
  name: 'simulate',
  summary: 'what would become of the cluster if a zone, a member or a coordinator failed now; changes nothing',
  kind: 'read',
  examples: [
    { line: 'understudy simulate --zone-lost us-east-1a', what: 'who would be recovered when, and who would be held' },
    { line: 'understudy simulate --member db/one', what: 'one member, with every gate it would wait for' },
    { line: 'understudy simulate --coordinator c1', what: 'who would lead, and who would no longer be judged' },
  ],
  define: (command, context) => {
    command
      .option('--zone-lost <zone>', 'members and coordinators of this Availability Zone')
      .option('--member <name>', 'the member, with --group; iam-policy: for --process agent; simulate: as group/name')
      .option('--coordinator <id>', 'this coordinator')
      .action((options: SimulateOptions) => {
        const { kind, name } = scenarioOf(options, command);
        const client = new ControlClient(context, options);
        const path = `/v1/what-if?kind=${kind}&name=${encodeURIComponent(name)}`;
        const text = (view: WhatIfView, screen: Screen) => whatIfText(view, screen);
        return present(context.clock, outputOf(options), () => client.read(WhatIfViewSchema, path), text);
      });
  },
};
