import type { CommandDefinition } from '../command-definition.ts';
import { print, shownText } from '../terminal.ts';

export const coordinator: CommandDefinition = {
  name: 'coordinator',
  summary: 'one of the equal coordinators: observes, judges, leads, recovers',
  kind: 'process',
  examples: [
    { line: 'understudy coordinator --config /etc/understudy/coordinator.yaml', what: 'until it is stopped' },
    { line: 'understudy coordinator --config coordinator.yaml --check', what: 'whether it would start' },
  ],
  define: (command) => {
    command
      .requiredOption('--config <file>', 'YAML configuration')
      .option('--check', 'read the configuration and the files it names, say what is wrong, and end')
      .action(async ({ config, check }: { config: string; check?: boolean }) => {
        const { checkCoordinator, runCoordinator } = await import('@understudy/coordinator/main');
        if (check !== true) return runCoordinator({ configPath: config });
        checkCoordinator({ configPath: config });
        print(shownText(`${config}: good`));
      });
  },
};
