import { harmlessText } from '@understudy/shared';
import { type CoordinatorClient, coordinatorClient } from '@understudy/shared/node';
import type { Command } from 'commander';
import { coordinatorUrls } from '../client/coordinator-urls.ts';
import { readToken } from '../client/operator-token.ts';
import { collect } from '../program-context.ts';
import { complain } from '../terminal.ts';

/** The addresses and the token file, as given on the command line. */
export interface ClientOptions {
  readonly url?: string[];
  readonly tokenFile?: string;
}

export function addClientOptions(command: Command): void {
  command
    .option(
      '--url <url>',
      'a coordinator, host:port or a URL; may be repeated or a list with commas, the next is asked when one does not answer (default: $UNDERSTUDY_URL, then http://127.0.0.1:8080)',
      collect,
    )
    .option(
      '--token-file <file>',
      "the caller's token, for what not everybody may see or do (default: $UNDERSTUDY_TOKEN_FILE)",
    );
}

/** Addresses and token, found in the options and in the environment. */
export interface Cluster {
  readonly urls: readonly string[];
  readonly token: string | null;
}

/** @throws CONFIG_INVALID */
export const clusterOf = (options: ClientOptions, environment: NodeJS.ProcessEnv): Cluster => ({
  urls: coordinatorUrls(options.url, environment),
  token: readToken(options.tokenFile ?? environment.UNDERSTUDY_TOKEN_FILE),
});

/**
 * A client that says on standard error when another coordinator than the first answers, so that
 * standard output stays what was asked for.
 * @throws CONFIG_INVALID
 */
export function clientOf(options: ClientOptions, environment: NodeJS.ProcessEnv): CoordinatorClient {
  const { urls, token } = clusterOf(options, environment);
  return coordinatorClient(urls, { token, onFallback: (text) => complain(`understudy: ${harmlessText(text)}`) });
}
