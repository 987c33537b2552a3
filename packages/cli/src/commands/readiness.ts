import { type ReadinessView, ReadinessViewSchema } from '@understudy/shared';
import type { CommandDefinition } from '../command-definition.ts';
import { ControlClient } from '../control/control-client.ts';
import { outputOf, type ReadOptions } from '../options/output-options.ts';
import { readinessText } from '../views/readiness-view.ts';
import type { Screen } from '../views/screen.ts';
import { present } from '../watch.ts';

export const readiness: CommandDefinition = {
  name: 'readiness',
  summary: 'what would become of each member if it failed now: back when, what is lost, what is in the way',
  kind: 'read',
  examples: [
    { line: 'understudy readiness', what: 'the worst first, with the remedy of each thing in the way' },
    { line: 'understudy readiness --json', what: 'with the moment at which each fact was looked at' },
  ],
  define: (command, context) => {
    command.action((options: ReadOptions) => {
      const client = new ControlClient(context, options);
      const text = (view: ReadinessView, screen: Screen) => readinessText(view, context.clock.wallMs(), screen);
      return present(context.clock, outputOf(options), () => client.read(ReadinessViewSchema, '/v1/readiness'), text);
    });
  },
};
