import type { CommandDefinition } from '../command-definition.ts';
import { diagnose, type DoctorOptions } from '../doctor/diagnose.ts';
import { DOCTOR_EXIT } from '../doctor/doctor-exit.ts';
import { outputOf } from '../options/output-options.ts';
import { doctorText } from '../views/doctor-view.ts';
import { present } from '../watch.ts';

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
