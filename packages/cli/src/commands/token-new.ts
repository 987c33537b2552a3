import {
  makeToken,
  type NewToken,
  OperationError,
  TOKEN_ROLES,
  type TokenEntry,
  TokenEntrySchema,
  tokenLine,
} from '@understudy/shared';
import { Option } from 'commander';
import type { CommandDefinition } from '../command-definition.ts';
import { collect } from '../program-context.ts';
import { print, shownOf } from '../terminal.ts';

interface TokenOptions {
  readonly role: TokenEntry['role'];
  readonly name: string;
  readonly onlyGroup?: string[];
  readonly expires?: string;
}

export const tokenNew: CommandDefinition = {
  name: 'token new',
  summary: 'make a token of the HTTP API, and its line for http.tokensFile',
  kind: 'local',
  examples: [
    { line: 'understudy token new --role operate --name ann', what: 'a person who may give commands' },
    { line: 'understudy token new --role metrics --name prometheus', what: 'a scraper that sees nothing else' },
    {
      line: 'understudy token new --role operate --name ci --only-group web --expires 2027-01-01T00:00:00Z',
      what: 'commands for one group, until then',
    },
  ],
  define: (command, { random }) => {
    command
      .addOption(new Option('--role <role>', 'what it allows').choices(TOKEN_ROLES).makeOptionMandatory())
      .requiredOption('--name <name>', 'who or what shows it')
      .option('--only-group <group>', 'the only group it may command; may be repeated', collect)
      .option('--expires <moment>', 'not accepted from then on, e.g. 2027-01-01T00:00:00Z')
      .action(({ role, name, onlyGroup, expires }: TokenOptions) => {
        const wanted = { role, name, ...(onlyGroup ? { groups: onlyGroup } : {}), ...(expires ? { expires } : {}) };
        const { token, entry } = makeToken(random, wanted);
        const faults = TokenEntrySchema.safeParse(entry).error?.issues[0];
        if (faults) throw new OperationError('CONFIG_INVALID', `--${faults.path.join('.')}: ${faults.message}`);
        print(shownOf({ token, entry }, tokenText));
      });
  },
};

const tokenText = ({ token, entry }: NewToken): string =>
  `the token, shown only now; give it to ${entry.name} in a file of mode 0600:\n\n${token}\n\n` +
  `its line under "tokens:" in http.tokensFile of every coordinator:\n\n${tokenLine(entry)}`;
