import type { CommandDefinition } from '../command-definition.ts';

export const agent: CommandDefinition = {
  name: 'agent',
  summary: 'the process on each watched instance',
  kind: 'process',
  examples: [{ line: 'understudy agent --config /etc/understudy/agent.yaml', what: 'until it is stopped' }],
  define: (command) => {
    command
      .requiredOption('--config <file>', 'YAML configuration')
      .option(
        '--imds <url>',
        'instance metadata endpoint (default: $AWS_EC2_METADATA_SERVICE_ENDPOINT, then the link-local address)',
      )
      .option('--exit-with-parent', 'stop in order when standard input closes')
      .action(async (options: { config: string; imds?: string; exitWithParent?: boolean }) => {
        const { runAgent } = await import('@understudy/agent/main');
        await runAgent({
          configPath: options.config,
          ...(options.imds === undefined ? {} : { imdsEndpoint: options.imds }),
        });
      });
  },
};
