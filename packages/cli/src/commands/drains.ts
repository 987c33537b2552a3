import { type DrainsView, DrainsViewSchema } from '@understudy/shared';
import { ControlClient } from '../control/control-client.ts';
import type { CommandDefinition } from '../command-definition.ts';
import { outputOf, type ReadOptions } from '../options/output-options.ts';
import { present } from '../watch.ts';

const drainsText = ({ present: all, drains }: DrainsView): string =>
  [
    ...all.map(({ coordinatorId, az, leader }) => `${coordinatorId}  ${az}${leader ? '  leads' : ''}`),
    ...drains.map(({ coordinatorId, who, why, untilWallMs, inForce }) => {
      const end = untilWallMs === null ? 'no end' : `until ${new Date(untilWallMs).toISOString()}`;
      return `${coordinatorId} ${inForce ? 'is drained' : 'was drained'} by ${who}: ${why} (${end})`;
    }),
  ].join('\n');

export const drains: CommandDefinition = {
  name: 'drains',
  summary: 'coordinators that are present, and which of them are drained, by whom and until when',
  kind: 'read',
  examples: [{ line: 'understudy drains', what: 'before one is taken away' }],
  define: (command, context) => {
    command.action((options: ReadOptions) => {
      const client = new ControlClient(context, options);
      return present(context.clock, outputOf(options), () => client.read(DrainsViewSchema, '/v1/drains'), drainsText);
    });
  },
};
