import type { CommandDefinition } from '../command-definition.ts';

export const coordinator: CommandDefinition = {
  name: 'coordinator',
  summary: 'one of the equal coordinators: observes, judges, leads, recovers',
  kind: 'process',
  examples: [{ line: 'understudy coordinator --config /etc/understudy/coordinator.yaml', what: 'until it is stopped' }],
  define: (command) => {
    command.requiredOption('--config <file>', 'YAML configuration').action(async (options: { config: string }) => {
      const { runCoordinator } = await import('@understudy/coordinator/main');
      await runCoordinator({ configPath: options.config });
    });
  },
};
