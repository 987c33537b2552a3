import { errorText } from '@understudy/shared';
import { loadConfig } from '@understudy/shared/node';
import type { ProgramContext } from '../program-context.ts';
import { type Check, type DoctorReport, runChecks } from './check.ts';
import { COORDINATOR_CHECKS } from './coordinator-checks.ts';
import { coordinatorHost } from './coordinator-host.ts';
import { fault, ok } from './finding.ts';

export interface DoctorOptions {
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

/** Runs every check of a coordinator's host. */
export async function diagnose(options: DoctorOptions, { clock, environment }: ProgramContext): Promise<DoctorReport> {
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
