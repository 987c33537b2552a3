import { Argument } from 'commander';
import { KIND_NAMES, type KindName } from '../certificates/certificate-kinds.ts';
import { daysOption, LEAF_DAYS } from '../certificates/lifetime-options.ts';
import type { CommandDefinition } from '../command-definition.ts';
import { collect } from '../program-context.ts';
import { print, shownText } from '../terminal.ts';

interface IssueOptions {
  readonly san?: string[];
  readonly days: number;
  readonly force?: boolean;
}

export const certsIssue: CommandDefinition = {
  name: 'certs issue',
  summary: 'sign a certificate with a new key (mode 0600) for one server or client; never overwrites',
  kind: 'local',
  examples: [
    { line: 'understudy certs issue pki etcd-member etcd-a --san 10.0.1.5 --san 127.0.0.1', what: 'an etcd member' },
    { line: 'understudy certs issue pki etcd-client c1', what: 'the coordinator c1, to etcd' },
    { line: 'understudy certs issue pki coordinator c1 --san 10.0.1.5 --san c1.example.org', what: 'its HTTPS' },
    { line: 'understudy certs issue pki operator alice --days 90', what: 'a person, instead of a token' },
  ],
  define: (command, { clock }) => {
    command
      .argument('<folder>', 'of the authorities')
      .addArgument(new Argument('<kind>', 'what it is for').choices(KIND_NAMES))
      .argument('<name>', 'whose')
      .option('--san <address>', 'IP address or DNS name it is reached at; may be repeated', collect)
      .option('--days <days>', 'how many days they are valid', daysOption, LEAF_DAYS)
      .option('--force', 'replace files that are there')
      .action(async (folder: string, kind: KindName, name: string, options: IssueOptions) => {
        const { issueCertificate } = await import('../certificates/certificate-authority.ts');
        const { san = [], days, force } = options;
        const lifetime = { nowWallMs: clock.wallMs(), days };
        const path = await issueCertificate(folder, { kind, name, addresses: san }, lifetime, {
          force: force === true,
        });
        print(shownText(`${path}: valid for ${days} days`));
      });
  },
};
