import { harmlessText } from '@understudy/shared';
import { type CoordinatorClient, coordinatorClient } from '@understudy/shared/node';
import type { Command } from 'commander';
import { type Cluster, findCluster } from '../client/cluster.ts';
import { fetchWith } from '../client/fetch-with.ts';
import { collect } from '../program-context.ts';
import { complain } from '../terminal.ts';

/** The addresses and the token file, as given on the command line. */
export interface ClientOptions {
  readonly url?: string[];
  readonly context?: string;
  readonly tokenFile?: string;
}

export function addClientOptions(command: Command): void {
  command
    .option(
      '--url <url>',
      'a coordinator, host:port or a URL; may be repeated or a list with commas, the next is asked when one does not answer (default: $UNDERSTUDY_URL, then the context, then http://127.0.0.1:8080)',
      collect,
    )
    .option('--context <name>', 'a cluster of the context file (default: $UNDERSTUDY_CONTEXT, then its current one)')
    .option(
      '--token-file <file>',
      "the caller's token, for what not everybody may see or do (default: $UNDERSTUDY_TOKEN_FILE)",
    );
}

/** @throws CONFIG_INVALID */
export const clusterOf = (options: ClientOptions, environment: NodeJS.ProcessEnv): Cluster =>
  findCluster(options, environment);

/** A client of these coordinators, with the token and the certificates of the cluster. */
export const clientAt = ({ token, tls }: Cluster, urls: readonly string[]): CoordinatorClient =>
  coordinatorClient(urls, {
    ...{ token, fetch: fetchWith(tls) },
    onFallback: (text) => complain(`understudy: ${harmlessText(text)}`),
  });

/**
 * A client that says on standard error when another coordinator than the first answers, so that
 * standard output stays what was asked for.
 * @throws CONFIG_INVALID
 */
export function clientOf(options: ClientOptions, environment: NodeJS.ProcessEnv): CoordinatorClient {
  const cluster = clusterOf(options, environment);
  return clientAt(cluster, cluster.urls);
}
