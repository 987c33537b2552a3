import { errorText } from '@understudy/shared';
import { loadConfig } from '@understudy/shared/node';
import type { CommandDefinition } from '../command-definition.ts';
import { runChecks } from '../doctor/check.ts';
import { COORDINATOR_CHECKS } from '../doctor/coordinator-checks.ts';
import type { CoordinatorHost } from '../doctor/coordinator-host.ts';
import { DOCTOR_EXIT } from '../doctor/doctor-exit.ts';
import { outputOf } from '../options/output-options.ts';
import type { ProgramContext } from '../program-context.ts';
import { doctorText } from '../views/doctor-view.ts';
import { present } from '../watch.ts';

async function hostOf(configPath: string, { clock }: ProgramContext): Promise<CoordinatorHost> {
  const { CoordinatorConfigSchema } = await import('@understudy/coordinator');
  try {
    return { configPath, config: loadConfig(CoordinatorConfigSchema, configPath), configFault: null, clock };
  } catch (error) {
    return { configPath, config: null, configFault: errorText(error), clock };
  }
}

export const doctorCoordinator: CommandDefinition = {
  name: 'doctor coordinator',
  summary: 'everything a coordinator needs on and around this host, each fault with its remedy; changes nothing',
  kind: 'local-read',
  watch: false,
  exits: ['underWay', 'needsPerson'],
  examples: [
    {
      line: 'understudy doctor coordinator --config /etc/understudy/coordinator.yaml',
      what: 'before the first start, and whenever something is odd; the exit code says the worst',
    },
  ],
  define: (command, context) => {
    command
      .requiredOption('--config <file>', 'YAML configuration of the coordinator')
      .action(async (options: { config: string; json?: boolean }) => {
        const host = await hostOf(options.config, context);
        const report = await runChecks('coordinator', COORDINATOR_CHECKS, host, context.clock);
        await present(context.clock, outputOf(options), async () => report, doctorText);
        process.exitCode = DOCTOR_EXIT[report.worst];
      });
  },
};
