import { AUTHORITY_DAYS, daysOption } from '../certificates/lifetime-options.ts';
import type { CommandDefinition } from '../command-definition.ts';
import { print, shownText } from '../terminal.ts';

export const certsInit: CommandDefinition = {
  name: 'certs init',
  summary: 'make the two authorities that sign for etcd and for the coordinators; never overwrites',
  kind: 'local',
  examples: [
    { line: 'understudy certs init pki', what: 'once; keep pki/etcd/ca.key and pki/api/ca.key off the servers' },
  ],
  define: (command, { clock }) => {
    command
      .argument('<folder>', 'where to')
      .option('--days <days>', 'how many days they are valid', daysOption, AUTHORITY_DAYS)
      .option('--force', 'replace files that are there')
      .action(async (folder: string, { days, force }: { days: number; force?: boolean }) => {
        const { initAuthorities } = await import('../certificates/certificate-authority.ts');
        await initAuthorities(folder, { nowWallMs: clock.wallMs(), days }, { force: force === true });
        print(shownText(`${folder}: authorities of etcd and api, valid for ${days} days`));
      });
  },
};
