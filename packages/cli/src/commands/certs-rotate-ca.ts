import { AUTHORITY_DAYS, daysOption } from '../certificates/lifetime-options.ts';
import type { CommandDefinition } from '../command-definition.ts';
import { print, shownText } from '../terminal.ts';

interface RotateOptions {
  readonly finish?: boolean;
  readonly days: number;
}

export const certsRotateCa: CommandDefinition = {
  name: 'certs rotate-ca',
  summary: 'make new authorities while the present ones stay trusted; then --finish ends that',
  kind: 'local',
  examples: [
    {
      line: 'understudy certs rotate-ca pki',
      what: 'first: ca.pem trusts both; copy it everywhere before anything else',
    },
    { line: 'understudy certs rotate-ca pki --finish', what: 'last: ca.pem trusts only the new one' },
  ],
  define: (command, { clock }) => {
    command
      .argument('<folder>', 'of the authorities')
      .option('--finish', 'trust the former authorities no more; refused while one of their certificates is left')
      .option('--days <days>', 'how many days they are valid', daysOption, AUTHORITY_DAYS)
      .action(async (folder: string, { finish, days }: RotateOptions) => {
        const { finishRotation, rotateAuthorities } = await import('../certificates/certificate-authority.ts');
        if (finish === true) finishRotation(folder);
        else await rotateAuthorities(folder, { nowWallMs: clock.wallMs(), days });
        print(
          shownText(
            finish === true ? `${folder}: only the new authorities are trusted` : `${folder}: both are trusted`,
          ),
        );
      });
  },
};
