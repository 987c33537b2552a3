import { InvalidArgumentError } from 'commander';
import type { CommandDefinition } from '../command-definition.ts';

interface DemoOptions {
  readonly json?: boolean;
  readonly keep?: boolean;
  readonly speed: number;
}

function positiveNumber(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0) throw new InvalidArgumentError('want a number above 0');
  return value;
}

export const demo: CommandDefinition = {
  name: 'demo',
  summary: 'three coordinators, a real etcd cluster and six agents: watch two failovers and one refusal',
  kind: 'process',
  examples: [
    { line: 'understudy demo', what: 'about a minute; everything is removed at the end' },
    { line: 'understudy demo --keep', what: 'leaves it running, to ask it and to break something' },
  ],
  define: (command) => {
    command
      .option('--json', 'last line of standard output is one JSON object; the live view goes to standard error')
      .option(
        '--keep',
        'leave everything running at the end, until interrupted; says where the cloud is and how to break something',
      )
      .option('--speed <factor>', "the cloud's latencies are divided by this", positiveNumber, 10)
      .action(async (options: DemoOptions) => {
        const { runDemo } = await import('../demo/demo.ts');
        process.exitCode = await runDemo({
          json: options.json === true,
          keep: options.keep === true,
          speed: options.speed,
        });
      });
  },
};
