import { errorText } from '@understudy/shared';
import { loadConfig } from '@understudy/shared/node';
import type { CommandDefinition } from '../command-definition.ts';
import { AGENT_CHECKS } from '../doctor/agent-checks/agent-checks.ts';
import { type AgentHost, askSystemd } from '../doctor/agent-host.ts';
import { type Check, type DoctorReport, runChecks } from '../doctor/check.ts';
import { DOCTOR_EXIT } from '../doctor/doctor-exit.ts';
import { fault, ok } from '../doctor/finding.ts';
import { outputOf } from '../options/output-options.ts';
import type { ProgramContext } from '../program-context.ts';
import { doctorText } from '../views/doctor-view.ts';
import { present } from '../watch.ts';

interface AgentDoctorOptions {
  readonly config: string;
  readonly json?: boolean;
}

async function examine({ config: configPath }: AgentDoctorOptions, context: ProgramContext): Promise<DoctorReport> {
  const { clock, environment } = context;
  const { AgentConfigSchema } = await import('@understudy/agent');
  try {
    const config = loadConfig(AgentConfigSchema, configPath);
    const host: AgentHost = { configPath, config, clock, environment, unit: askSystemd };
    const valid: Check<unknown> = { name: 'configuration', run: async () => [ok(`${configPath} is valid`)] };
    return await runChecks('agent', [valid, ...AGENT_CHECKS], host, clock);
  } catch (error) {
    const remedy = `correct ${configPath}; the agent does not start before, and nothing else was looked at`;
    const finding = { check: 'configuration', ...fault(errorText(error), remedy) };
    return { host: 'agent', worst: 'fault', findings: [finding] };
  }
}

export const doctorAgent: CommandDefinition = {
  name: 'doctor agent',
  summary: 'everything an agent needs on its instance, and whether its workload follows it; changes nothing',
  kind: 'local-read',
  watch: false,
  exits: ['underWay', 'needsPerson'],
  examples: [
    {
      line: 'understudy doctor agent --config /etc/understudy/agent.yaml',
      what: 'as root, on the instance; the exit code says the worst',
    },
  ],
  define: (command, context) => {
    command
      .requiredOption('--config <file>', 'YAML configuration of the agent')
      .action(async (options: AgentDoctorOptions) => {
        const report = await examine(options, context);
        await present(context.clock, outputOf(options), async () => report, doctorText);
        process.exitCode = DOCTOR_EXIT[report.worst];
      });
  },
};
