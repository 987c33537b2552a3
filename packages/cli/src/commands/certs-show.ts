import type { CommandDefinition } from '../command-definition.ts';
import { EXIT } from '../exit-codes.ts';
import { print, shownJson, shownOf } from '../terminal.ts';

export const certsShow: CommandDefinition = {
  name: 'certs show',
  summary: 'which certificates there are and when they end; exit code 1 if one is due',
  kind: 'local-read',
  watch: false,
  examples: [{ line: 'understudy certs show pki', what: 'days left of each; --json for a monitor' }],
  define: (command, { clock }) => {
    command.argument('<folder>', 'of the authorities').action(async (folder: string, { json }: { json?: boolean }) => {
      const { certificatesText, shownCertificates } = await import('../certificates/certificates-view.ts');
      const all = shownCertificates(folder, clock.wallMs());
      print(json === true ? shownJson(all, 2) : shownOf(all, certificatesText));
      if (all.some(({ state }) => state === 'due' || state === 'expired')) process.exitCode = EXIT.failed;
    });
  },
};
