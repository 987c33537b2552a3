import type { CommandDefinition } from '../command-definition.ts';

export const cloudSim: CommandDefinition = {
  name: 'cloud-sim',
  summary: 'a local EC2 for rehearsals: Query protocol, IMDSv2, machines',
  kind: 'process',
  examples: [
    { line: 'understudy cloud-sim --config cloud-sim.yaml', what: 'until it is stopped' },
    {
      line: 'understudy cloud-sim --config cloud-sim.yaml --script zone-fails.yaml',
      what: 'what goes wrong, by a script',
    },
  ],
  define: (command) => {
    command
      .requiredOption('--config <file>', 'YAML configuration')
      .option('--script <file>', 'faults and failures, YAML or JSON, that begin with it')
      .action(async (options: { config: string; script?: string }) => {
        const { runCloudSim } = await import('@understudy/cloud-sim/main');
        const script = options.script === undefined ? {} : { scriptFile: options.script };
        await runCloudSim({ configFile: options.config, ...script });
      });
  },
};
