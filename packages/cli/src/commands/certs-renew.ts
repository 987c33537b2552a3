import { daysOption, LEAF_DAYS } from '../certificates/lifetime-options.ts';
import type { CommandDefinition } from '../command-definition.ts';
import { print, shownText } from '../terminal.ts';

export const certsRenew: CommandDefinition = {
  name: 'certs renew',
  summary: 'sign anew what has less than a third of its life left, or was signed by a former authority',
  kind: 'local',
  examples: [
    { line: 'understudy certs renew pki', what: 'then copy what it names to its servers, one by one' },
    { line: 'understudy certs renew pki --every', what: 'every certificate' },
  ],
  define: (command, { clock }) => {
    command
      .argument('<folder>', 'of the authorities')
      .option('--every', 'also what is not due')
      .option('--days <days>', 'how many days they are valid', daysOption, LEAF_DAYS)
      .action(async (folder: string, { every, days }: { every?: boolean; days: number }) => {
        const { renewCertificates } = await import('../certificates/certificate-authority.ts');
        const renewed = await renewCertificates(folder, { nowWallMs: clock.wallMs(), days, all: every === true });
        print(shownText(renewed.length === 0 ? 'nothing is due' : renewed.join(', ')));
      });
  },
};
