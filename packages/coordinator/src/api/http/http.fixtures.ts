import { type Log, tokenHash, type TokenEntry } from '@understudy/shared';
import { SystemClock, SystemRandom } from '@understudy/shared/node';
import { RecordingLog } from '@understudy/shared/testing';
import type { AccessSettings } from './access/access.ts';
import type { ApiSource, MetricsSource } from './api-source.ts';
import { ClusterKeys } from './cluster-keys.ts';
import { type HttpServer, type HttpServerOptions, startHttpServer } from './server.ts';

/** The master secrets of every coordinator in these tests, unless they say otherwise. */
export const MASTERS: ReadonlyMap<number, Uint8Array> = new Map([[1, new Uint8Array(32).fill(7)]]);

export const OPERATOR_TOKEN = 'correct-horse-battery-staple-0000';

export interface ServeOptions extends Partial<Omit<HttpServerOptions, 'access' | 'api' | 'metrics'>> {
  readonly access?: Partial<AccessSettings>;
  readonly entries?: readonly TokenEntry[];
  /** Default {@link OPERATOR_TOKEN}; null: there is none. */
  readonly operatorToken?: string | null;
  readonly api?: Partial<ApiSource> | (() => ApiSource | null);
  readonly metrics?: MetricsSource;
}

const servers: HttpServer[] = [];

/** For `afterEach`. */
export async function closeServers(): Promise<void> {
  for (const server of servers.splice(0)) await server.close();
}

const log: Log = new RecordingLog();

/** A coordinator's HTTP server on loopback. By default everybody may read. */
export async function serveApi(options: ServeOptions = {}): Promise<HttpServer & { readonly url: string }> {
  const { access, entries = [], operatorToken = OPERATOR_TOKEN, api, metrics, ...more } = options;
  const tokens = { entries, operatorTokenHash: operatorToken === null ? null : tokenHash(operatorToken) };
  const given = typeof api === 'function' ? api : () => (api ?? {}) as ApiSource;
  const server = await startHttpServer({
    ...{ host: '127.0.0.1', port: 0, coordinatorId: 'c1', tls: null, keys: new ClusterKeys(MASTERS) },
    access: { anonymous: 'read', clients: [], isSecure: false, ...access },
    tokens: () => tokens,
    api: given,
    metrics: () => metrics ?? null,
    ...{ clock: new SystemClock(), random: new SystemRandom(), log },
    ...more,
  });
  servers.push(server);
  return { ...server, url: `${more.tls ? 'https' : 'http'}://127.0.0.1:${server.port}` };
}
