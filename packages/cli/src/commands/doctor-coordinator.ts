import { errorText } from '@understudy/shared';
import { loadConfig } from '@understudy/shared/node';
import type { CommandDefinition } from '../command-definition.ts';
import { type Check, type DoctorReport, runChecks } from '../doctor/check.ts';
import { COORDINATOR_CHECKS } from '../doctor/coordinator-checks.ts';
import { coordinatorHost } from '../doctor/coordinator-host.ts';
import { DOCTOR_EXIT } from '../doctor/doctor-exit.ts';
import { fault, ok } from '../doctor/finding.ts';
import { outputOf } from '../options/output-options.ts';
import type { ProgramContext } from '../program-context.ts';
import { doctorText } from '../views/doctor-view.ts';
import { present } from '../watch.ts';

interface DoctorOptions {
  readonly config: string;
  readonly json?: boolean;
  readonly tryMember?: string;
}

const refused = (path: string, error: unknown): DoctorReport => ({
  host: 'coordinator',
  worst: 'fault',
  findings: [
    {
      check: 'configuration',
      ...fault(
        errorText(error),
        `correct ${path}; a coordinator does not start before, and nothing else was looked at`,
      ),
    },
  ],
});

async function diagnose(options: DoctorOptions, { clock, environment }: ProgramContext): Promise<DoctorReport> {
  const { checkCoordinator, CoordinatorConfigSchema } = await import('@understudy/coordinator');
  const configPath = options.config;
  try {
    checkCoordinator({ configPath, environment });
  } catch (error) {
    return refused(configPath, error);
  }
  const config = loadConfig(CoordinatorConfigSchema, configPath);
  const host = coordinatorHost({ configPath, config, clock, environment, tryMember: options.tryMember ?? null });
  const valid: Check<unknown> = { name: 'configuration', run: async () => [ok(`${configPath} is valid`)] };
  return runChecks('coordinator', [valid, ...COORDINATOR_CHECKS], host, clock);
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
      .option('--try-member <member>', 'name its instance in dry runs of what a recovery does to one (nothing is done)')
      .action(async (options: DoctorOptions) => {
        const report = await diagnose(options, context);
        await present(context.clock, outputOf(options), async () => report, doctorText);
        process.exitCode = DOCTOR_EXIT[report.worst];
      });
  },
};
