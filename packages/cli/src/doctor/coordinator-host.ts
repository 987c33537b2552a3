import { readFileSync } from 'node:fs';
import type { Ec2Transport } from '@understudy/aws';
import type { CoordinatorConfig } from '@understudy/coordinator';
import type { Clock } from '@understudy/shared';
import { awsRegionOf } from '@understudy/shared/node';
import { fetchWith } from '../client/fetch-with.ts';
import { type EtcdFacts, etcdFacts } from './etcd-facts.ts';
import { type PeerFacts, peerFacts } from './peers.ts';
import { readStoredKeys, type StoredKey } from './stored-keys.ts';

/** The host that the checks of a coordinator look at. What several checks need is asked once. */
export interface CoordinatorHost {
  readonly configPath: string;
  readonly config: CoordinatorConfig;
  readonly clock: Clock;
  readonly environment: NodeJS.ProcessEnv;
  /** Every member of etcd that the configuration names. */
  readonly etcd: () => Promise<readonly EtcdFacts[]>;
  /** Every coordinator that etcd names. */
  readonly peers: () => Promise<readonly PeerFacts[]>;
  readonly ec2: () => Promise<Ec2Transport>;
  /** Every key that lies in a store: its place → what came of reading it. */
  readonly storedKeys: () => Promise<ReadonlyMap<string, StoredKey>>;
  /** How coordinators are asked: the authority that they believe, and the token of the operator. */
  readonly asked: () => { readonly fetch: typeof fetch; readonly token: string | null };
  /** A member whose instance may be named in dry runs. Null: none was chosen. */
  readonly tryMember: string | null;
}

function once<T>(ask: () => Promise<T>): () => Promise<T> {
  let asked: Promise<T> | null = null;
  return () => (asked ??= ask());
}

const text = (path: string | undefined): string | undefined =>
  path === undefined ? undefined : readFileSync(path, 'utf8');

function etcdAccess({ etcd }: CoordinatorConfig) {
  const { tls = {}, passwordFile, username, hosts, root } = etcd;
  const files = { ca: text(tls.caFile), cert: text(tls.certFile), key: text(tls.keyFile) };
  const given = Object.fromEntries(Object.entries(files).filter(([, pem]) => pem !== undefined));
  const password = text(passwordFile)?.trim() ?? null;
  return { hosts, root, fetch: fetchWith(given), username: username ?? null, password };
}

async function ec2Of({ aws }: CoordinatorConfig, environment: NodeJS.ProcessEnv): Promise<Ec2Transport> {
  const { sdkTransport } = await import('@understudy/aws');
  const region = awsRegionOf(aws.region, environment);
  const endpoint = aws.endpoint === undefined ? {} : { endpoint: aws.endpoint };
  return sdkTransport({ region, callTimeoutMs: aws.callTimeoutMs, ...endpoint }).send;
}

export interface HostOptions {
  readonly configPath: string;
  readonly config: CoordinatorConfig;
  readonly clock: Clock;
  readonly environment: NodeJS.ProcessEnv;
  readonly tryMember: string | null;
}

export function coordinatorHost(options: HostOptions): CoordinatorHost {
  const { config, clock, environment, configPath } = options;
  const asked = () => {
    const ca = text(config.http.tls?.caFile);
    const { UNDERSTUDY_TOKEN_FILE = '' } = environment;
    const tokenFile =
      config.http.operatorTokenFile ?? (UNDERSTUDY_TOKEN_FILE === '' ? undefined : UNDERSTUDY_TOKEN_FILE);
    return { fetch: fetchWith(ca === undefined ? {} : { ca }), token: text(tokenFile)?.trim() ?? null };
  };
  return {
    ...options,
    asked,
    etcd: once(async () => etcdFacts(etcdAccess(config), clock)),
    peers: once(async () => {
      return peerFacts({ configPath, root: config.etcd.root, ...asked(), clock });
    }),
    ec2: once(() => ec2Of(config, environment)),
    storedKeys: once(() => readStoredKeys(options)),
  };
}
