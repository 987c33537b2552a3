import { readFileSync, statSync } from 'node:fs';
import { errorText, nearTo, OperationError } from '@understudy/shared';
import { type Context, contextsPath, readContexts } from './contexts-file.ts';
import { coordinatorUrls } from './coordinator-urls.ts';
import { readToken } from './token-file.ts';

/** The words of the command line that say which cluster is meant. */
export interface ClusterChoice {
  readonly url?: readonly string[];
  readonly context?: string;
  readonly tokenFile?: string;
}

/** The text of certificates for https, in PEM. */
export interface TlsFiles {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** The coordinators to ask, and what is shown to them. */
export interface Cluster {
  readonly urls: readonly string[];
  readonly token: string | null;
  readonly tls: TlsFiles;
  /** The name of the context it was taken from. Null: none. */
  readonly context: string | null;
}

const said = (text: string | undefined): string | undefined => (text === '' ? undefined : text);

function contextNamed(name: string, path: string): Context {
  const { contexts } = readContexts(path);
  const found = Object.hasOwn(contexts, name) ? contexts[name] : undefined;
  if (found !== undefined) return found;
  const near = nearTo(name, Object.keys(contexts));
  const hint =
    near.length > 0 ? `did you mean ${near.join(' or ')}?` : '`understudy context list` shows those there are';
  throw new OperationError('CONFIG_INVALID', `no context ${name} in ${path}; ${hint}`);
}

/**
 * The context that applies: `--context`; none where `--url` or UNDERSTUDY_URL name coordinators,
 * because the token of one cluster is not for the coordinators of another; UNDERSTUDY_CONTEXT; the
 * current one of the file.
 */
function chosenContext(choice: ClusterChoice, environment: NodeJS.ProcessEnv): [string, Context] | null {
  const path = contextsPath(environment);
  if (choice.context !== undefined) return [choice.context, contextNamed(choice.context, path)];
  if (choice.url !== undefined || said(environment.UNDERSTUDY_URL) !== undefined) return null;
  const name = said(environment.UNDERSTUDY_CONTEXT) ?? readContexts(path).current;
  return name === null ? null : [name, contextNamed(name, path)];
}

function readPem(path: string | undefined, isSecret: boolean): string | undefined {
  if (path === undefined) return undefined;
  try {
    if (isSecret && (statSync(path).mode & 0o077) !== 0)
      throw new OperationError('CONFIG_INVALID', `${path} can be read by others: chmod 600 ${path}`);
    return readFileSync(path, 'utf8');
  } catch (cause) {
    if (cause instanceof OperationError) throw cause;
    throw new OperationError('CONFIG_INVALID', `cannot read ${path}: ${errorText(cause)}`, { cause });
  }
}

function tlsOf(context: Context | undefined, environment: NodeJS.ProcessEnv): TlsFiles {
  const ca = readPem(said(environment.UNDERSTUDY_CA_FILE) ?? context?.caFile, false);
  const cert = readPem(said(environment.UNDERSTUDY_CERT_FILE) ?? context?.certFile, false);
  const key = readPem(said(environment.UNDERSTUDY_KEY_FILE) ?? context?.keyFile, true);
  if ((cert === undefined) !== (key === undefined))
    throw new OperationError('CONFIG_INVALID', 'a client certificate and its key come together');
  return { ...(ca === undefined ? {} : { ca }), ...(cert === undefined || key === undefined ? {} : { cert, key }) };
}

/**
 * Finds the cluster: the command line, then the environment, then the context file, then the
 * default address.
 * @throws CONFIG_INVALID naming what is wrong, a file that others can read among it
 */
export function findCluster(choice: ClusterChoice, environment: NodeJS.ProcessEnv): Cluster {
  const chosen = chosenContext(choice, environment);
  const [name, context] = chosen ?? [null, undefined];
  const ofContext = choice.url === undefined && context !== undefined ? context.urls : choice.url;
  const tokenFile = choice.tokenFile ?? said(environment.UNDERSTUDY_TOKEN_FILE) ?? context?.tokenFile;
  return {
    urls: coordinatorUrls(ofContext, environment),
    token: readToken(tokenFile),
    tls: tlsOf(context, environment),
    context: name,
  };
}
