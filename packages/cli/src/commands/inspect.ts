import { KEY_ROOT, keyspace } from '@understudy/shared';
import type { CommandDefinition } from '../command-definition.ts';
import { AREAS, keysText, readKeys } from '../inspection/inspected-key.ts';
import { outputOf } from '../options/output-options.ts';
import { collect } from '../program-context.ts';
import { present } from '../watch.ts';

interface InspectOptions {
  readonly json?: boolean;
  readonly watch?: boolean;
  readonly config?: string;
  readonly etcd?: string[];
  readonly root?: string;
}

export const inspect: CommandDefinition = {
  name: 'inspect',
  summary: 'what stands in etcd, read directly',
  kind: 'local-read',
  exits: ['unavailable'],
  examples: [
    { line: 'understudy inspect leader --etcd 10.0.0.1:2379', what: 'who leads, from etcd itself' },
    {
      line: 'understudy inspect members/db --config /etc/understudy/coordinator.yaml',
      what: "etcd's hosts, TLS and user from a coordinator's configuration",
    },
  ],
  define: (command, { clock, environment }) => {
    command
      .argument('[area]', `${AREAS.join(', ')}; or a longer key`, '')
      .option(
        '--etcd <host>',
        'an etcd endpoint; may be repeated (default: $UNDERSTUDY_ETCD, then http://127.0.0.1:2379)',
        collect,
      )
      .option('--config <file>', "take etcd's hosts, TLS and user from a coordinator's configuration")
      .option('--root <prefix>', 'key root', KEY_ROOT)
      .action(async (area: string, options: InspectOptions) => {
        const { openStore } = await import('@understudy/coordinator');
        const hosts = options.etcd ?? environment.UNDERSTUDY_ETCD?.split(',') ?? ['http://127.0.0.1:2379'];
        const store = openStore(options.config === undefined ? { hosts } : { configPath: options.config });
        const root = keyspace(options.root ?? KEY_ROOT).root;
        try {
          await present(clock, outputOf(options), () => readKeys(store, root, area), keysText);
        } finally {
          await store.close();
        }
      });
  },
};
