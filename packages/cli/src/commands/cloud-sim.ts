import type { CommandDefinition } from '../command-definition.ts';

export const cloudSim: CommandDefinition = {
  name: 'cloud-sim',
  summary: 'a local EC2 for rehearsals: Query protocol, IMDSv2, machines',
  kind: 'process',
  examples: [{ line: 'understudy cloud-sim --config cloud-sim.yaml', what: 'until it is stopped' }],
  define: (command) => {
    command.requiredOption('--config <file>', 'YAML configuration').action(async (options: { config: string }) => {
      const { runCloudSim } = await import('@understudy/cloud-sim/main');
      await runCloudSim({ configFile: options.config });
    });
  },
};
