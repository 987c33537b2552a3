import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { OperationError, errorText } from '@understudy/shared';
import { Archive, type Entry } from '../bundle/archive.ts';
import { collectCluster } from '../bundle/collect.ts';
import { collectHost, secretsOf } from '../bundle/host.ts';
import { redactWith } from '../bundle/redact.ts';
import { fetchWith } from '../client/fetch-with.ts';
import type { CommandDefinition } from '../command-definition.ts';
import { clientAt, type ClientOptions, clusterOf } from '../options/client-options.ts';
import { print, shownJson, shownText } from '../terminal.ts';
import { timeText } from '../views/format.ts';

interface BundleOptions extends ClientOptions {
  readonly json?: boolean;
  readonly config?: string;
  readonly output?: string;
}

const line = ({ name, bytes, note }: Entry): string => `${name}  ${bytes} bytes${note === '' ? '' : `  (${note})`}`;

const readmeOf = (entries: readonly Entry[], atWallMs: number): string =>
  [
    `What Understudy showed at ${timeText(atWallMs)} UTC, for whoever looks into a problem.`,
    'Removed: tokens, keys, passwords, AWS credentials, user data, console output, whatever looks like one of them,',
    'and every secret in the files that the configuration names. Names, addresses and ids of your instances are in it.',
    '',
    ...entries.map(line),
    '',
  ].join('\n');

/** A file that is there is left alone. Others cannot read what is written. */
function write(path: string, bytes: Buffer): void {
  try {
    writeFileSync(path, bytes, { mode: 0o600, flag: 'wx' });
  } catch (cause) {
    throw new OperationError('CONFIG_INVALID', `cannot write ${path}: ${errorText(cause)}`, { cause });
  }
}

export const bundle: CommandDefinition = {
  name: 'bundle',
  summary: 'everything that helps to look into a problem, in one tar.gz, without secrets',
  kind: 'read',
  watch: false,
  examples: [
    { line: 'understudy bundle', what: 'what every coordinator shows; the file says what is in it' },
    {
      line: 'understudy bundle --config /etc/understudy/coordinator.yaml --output problem.tar.gz',
      what: "on a coordinator's host: with its configuration, the keys in etcd, and what doctor finds",
    },
  ],
  define: (command, context) => {
    const { clock, environment } = context;
    command
      .option('--output <file>', 'where to (default: understudy-bundle-TIME.tar.gz here)')
      .option('--config <file>', "a coordinator's configuration: adds what only its host knows")
      .action(async (options: BundleOptions) => {
        const cluster = clusterOf(options, environment);
        const atWallMs = clock.wallMs();
        const stamp = timeText(atWallMs).replaceAll(/[-:]/g, '').replace(' ', '-');
        const known = [...(await secretsOf(options.config)), ...(cluster.token === null ? [] : [cluster.token])];
        const archive = new Archive(`understudy-bundle-${stamp}`, redactWith(known));
        await collectCluster(archive, {
          ...{ urls: cluster.urls, token: cluster.token, fetch: fetchWith(cluster.tls), clock },
          clientAt: (urls) => clientAt(cluster, urls),
        });
        if (options.config !== undefined) await collectHost(archive, options.config, context);
        const bytes = await archive.close(readmeOf(archive.entries, atWallMs), atWallMs);
        const path = options.output ?? `understudy-bundle-${stamp}.tar.gz`;
        write(path, bytes);
        const sha256 = createHash('sha256').update(bytes).digest('hex');
        if (options.json === true)
          return print(shownJson({ path, bytes: bytes.length, sha256, entries: archive.entries }, 2));
        for (const entry of archive.entries) print(shownText(line(entry)));
        print(
          shownText(
            `${path}: ${bytes.length} bytes, ${archive.entries.length} entries; secrets are removed, names and addresses are not`,
          ),
        );
      });
  },
};
