import {
  type Clock,
  errorText,
  type KvEntry,
  type KvRange,
  type KvStore,
  type KvTxn,
  type KvTxnResult,
  type KvWatch,
  type KvWatchHandlers,
  type LeaseId,
  OperationError,
  type Random,
  type Revision,
  type StoreAlarm,
} from '@understudy/shared';
import type { ILeaseKeepAliveRequest, ILeaseKeepAliveResponse, IDuplexStream } from 'etcd3';
import { entryFrom, keyBytes, prefixRange, revisionFrom, txnRequest } from './etcd-codec.ts';
import { EtcdEndpoint, type EtcdEndpointOptions } from './etcd-endpoint.ts';
import { blamesEndpoint, isCompacted, isLeaseNotFound, storeError } from './etcd-errors.ts';
import { type EtcdHttpOptions, httpAlarms, httpVersion } from './etcd-http.ts';
import { EtcdWatch } from './etcd-watch.ts';

export interface EtcdKvStoreOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** `http://…` or `https://…`, never mixed. One is used until it fails, then the next. */
  readonly hosts: readonly string[];
  /** Time limit of one call, authentication included. Default 1 500. */
  readonly callTimeoutMs?: number;
  /** PEM files. `ca` alone checks the server; `cert` and `key` are ours. */
  readonly tls?: { readonly ca?: Buffer; readonly cert?: Buffer; readonly key?: Buffer };
  readonly auth?: { readonly username: string; readonly password: string };
  /** How often a watch asks the server how far it is. Default 1 000. */
  readonly watchProgressEveryMs?: number;
  /** A watch that heard nothing for this long reconnects. Default 6 000. */
  readonly watchSilenceLimitMs?: number;
}

type KeepAliveStream = IDuplexStream<ILeaseKeepAliveRequest, ILeaseKeepAliveResponse>;

/**
 * etcd behind the {@link KvStore} port. It retries nothing. After a failure the next call goes to
 * the next endpoint.
 */
export class EtcdKvStore implements KvStore {
  readonly #options: EtcdKvStoreOptions;
  readonly #endpoints: readonly EtcdEndpoint[];
  readonly #watches = new Set<KvWatch>();
  #inUse = 0;

  /**
   * Connects lazily, so etcd may be down.
   * @throws CONFIG_INVALID for no hosts, mixed schemes, or half a TLS key pair.
   */
  constructor(options: EtcdKvStoreOptions) {
    checkHosts(options);
    this.#options = options;
    const { clock, tls, auth, callTimeoutMs = 1500 } = options;
    const common: Omit<EtcdEndpointOptions, 'host'> = {
      clock,
      callTimeoutMs,
      ...(tls ? { tls } : {}),
      ...(auth ? { auth } : {}),
    };
    this.#endpoints = options.hosts.map((host) => new EtcdEndpoint({ ...common, host }));
  }

  async get(key: string): Promise<KvEntry | null> {
    const reply = await this.#call(`get ${key}`, false, (endpoint) =>
      endpoint.unary((client, options) => client.kv.range({ key: keyBytes(key) }, options)),
    );
    const kv = reply.kvs[0];
    return kv ? entryFrom(kv) : null;
  }

  async range(prefix: string): Promise<KvRange> {
    const request = { ...prefixRange(prefix), sort_order: 'Ascend', sort_target: 'Key' } as const;
    const reply = await this.#call(`range ${prefix}`, false, (endpoint) =>
      endpoint.unary((client, options) => client.kv.range(request, options)),
    );
    return { entries: reply.kvs.map(entryFrom), revision: revisionFrom(reply.header.revision) };
  }

  async txn(txn: KvTxn): Promise<KvTxnResult> {
    const reply = await this.#call(txnName(txn), true, (endpoint) =>
      endpoint.unary((client, options) => client.kv.txn(txnRequest(txn), options)),
    );
    const elseEntries = reply.succeeded
      ? []
      : (txn.elseGet ?? []).map((_, index) => {
          const kv = reply.responses[index]?.response_range.kvs[0];
          return kv ? entryFrom(kv) : null;
        });
    return { succeeded: reply.succeeded, revision: revisionFrom(reply.header.revision), elseEntries };
  }

  async grantLease(ttlMs: number): Promise<{ leaseId: LeaseId; ttlMs: number }> {
    const reply = await this.#call('grantLease', true, (endpoint) =>
      endpoint.unary((client, options) =>
        client.leaseClient.leaseGrant({ TTL: String(Math.ceil(ttlMs / 1000)) }, options),
      ),
    );
    return { leaseId: reply.ID, ttlMs: Number(reply.TTL) * 1000 };
  }

  async keepAlive(leaseId: LeaseId): Promise<{ ttlMs: number } | null> {
    try {
      const ttlSeconds = await this.#call('keepAlive', false, (endpoint) =>
        endpoint.unary(async (client, options) => askOnce(await client.leaseClient.leaseKeepAlive(options), leaseId)),
      );
      return ttlSeconds > 0 ? { ttlMs: ttlSeconds * 1000 } : null;
    } catch (error) {
      if (isLeaseNotFound(error)) return null;
      throw error;
    }
  }

  async revokeLease(leaseId: LeaseId): Promise<void> {
    try {
      await this.#call('revokeLease', true, (endpoint) =>
        endpoint.unary((client, options) => client.leaseClient.leaseRevoke({ ID: leaseId }, options)),
      );
    } catch (error) {
      if (!isLeaseNotFound(error)) throw error;
    }
  }

  watch(prefix: string, fromRevision: Revision, handlers: KvWatchHandlers): KvWatch {
    const { clock, random, watchProgressEveryMs = 1000, watchSilenceLimitMs = 6000 } = this.#options;
    let endpoint = this.#current();
    const watch: EtcdWatch = new EtcdWatch({
      clock,
      random,
      prefix,
      fromRevision,
      handlers,
      progressEveryMs: watchProgressEveryMs,
      silenceLimitMs: watchSilenceLimitMs,
      open: async () => {
        endpoint = this.#current();
        return await endpoint.client.watchClient.watch(endpoint.streamOptions());
      },
      onFailure: () => this.#moveOnFrom(endpoint),
      onEnd: () => this.#watches.delete(watch),
    });
    this.#watches.add(watch);
    return watch;
  }

  async remembers(key: string, revision: Revision): Promise<boolean> {
    const request = { key: keyBytes(key), revision: String(revision), count_only: true };
    try {
      await this.#call('remembers', false, (endpoint) =>
        endpoint.unary((client, options) => client.kv.range(request, options)),
      );
      return true;
    } catch (error) {
      if (isCompacted(error)) return false;
      throw error;
    }
  }

  /**
   * Asks by `GET /version`, which needs no rights. Where etcd does not answer that (a port for gRPC
   * only), it asks by Maintenance.Status, which needs the root role since etcd 3.5.28.
   */
  async serverVersions(): Promise<readonly string[]> {
    const replies = await Promise.allSettled(this.#endpoints.map((endpoint) => this.#versionAt(endpoint)));
    const versions = replies.flatMap((reply) => (reply.status === 'fulfilled' ? [reply.value] : []));
    if (versions.length > 0) return versions;
    const failures = replies.flatMap((reply) => (reply.status === 'rejected' ? [reply.reason as OperationError] : []));
    // A member that answers without its version says more than those that do not answer.
    throw (
      failures.find((one) => one.code === 'STORE_VERSION_UNKNOWN') ?? storeError(failures[0], 'serverVersions', false)
    );
  }

  async #versionAt(endpoint: EtcdEndpoint): Promise<string> {
    const byHttp = await settled(httpVersion(this.#http(endpoint)));
    if ('value' in byHttp) return byHttp.value;
    try {
      return (await endpoint.unary((client, options) => client.maintenance.status(options))).version;
    } catch (cause) {
      const error = storeError(cause, `serverVersions at ${endpoint.host}`, false);
      if (error.code !== 'STORE_DENIED') throw error;
      const text = `${endpoint.host}: ${errorText(byHttp.error)}; Maintenance.Status: ${errorText(cause)}`;
      throw new OperationError('STORE_VERSION_UNKNOWN', text, { cause });
    }
  }

  /** Asks by Maintenance.Alarm, or by `GET /health` where the role may not ask. */
  async alarms(): Promise<readonly StoreAlarm[] | null> {
    const endpoint = this.#current();
    try {
      const request = { action: 'Get', memberID: '0', alarm: 'None' } as const;
      const reply = await endpoint.unary((client, options) => client.maintenance.alarm(request, options));
      return alarmsIn(reply.alarms.map((one) => String(one.alarm).toUpperCase()).join(' '));
    } catch (cause) {
      const error = storeError(cause, `alarms at ${endpoint.host}`, false);
      if (error.code !== 'STORE_DENIED') throw error;
      return await httpAlarms(this.#http(endpoint)).then(alarmsIn, () => null);
    }
  }

  #http(endpoint: EtcdEndpoint): EtcdHttpOptions {
    const { clock, tls, callTimeoutMs = 1500 } = this.#options;
    return { host: endpoint.host, clock, callTimeoutMs, ...(tls ? { tls } : {}) };
  }

  /** Cancels everything under way and drops the connections. Waits for nothing. */
  close(): Promise<void> {
    for (const watch of [...this.#watches]) watch.cancel();
    for (const endpoint of this.#endpoints) endpoint.close();
    return Promise.resolve();
  }

  async #call<T>(operation: string, mayHaveApplied: boolean, work: (endpoint: EtcdEndpoint) => Promise<T>): Promise<T> {
    const endpoint = this.#current();
    try {
      return await work(endpoint);
    } catch (cause) {
      const error = storeError(cause, `${operation} at ${endpoint.host}`, mayHaveApplied);
      if (blamesEndpoint(error)) this.#moveOnFrom(endpoint);
      throw error;
    }
  }

  #current(): EtcdEndpoint {
    const endpoint = this.#endpoints[this.#inUse];
    if (!endpoint) throw new OperationError('CONFIG_INVALID', 'etcd.hosts is empty');
    return endpoint;
  }

  /**
   * Moves on to the next endpoint. Several calls may fail on one endpoint; only the first one moves
   * on.
   */
  #moveOnFrom(endpoint: EtcdEndpoint): void {
    if (this.#endpoints[this.#inUse] === endpoint) this.#inUse = (this.#inUse + 1) % this.#endpoints.length;
  }
}

const settled = <T>(work: Promise<T>): Promise<{ readonly value: T } | { readonly error: unknown }> =>
  work.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );

/** Names the keys of a refused transaction, because etcd does not. */
function txnName({ compare, writes }: KvTxn): string {
  const written = writes.map((write) => (write.kind === 'deletePrefix' ? write.prefix : write.key));
  const keys = [...new Set(written.length > 0 ? written : compare.map(({ key }) => key))];
  const more = keys.length > KEYS_NAMED_MAX ? ` and ${keys.length - KEYS_NAMED_MAX} more` : '';
  return `txn of ${keys.slice(0, KEYS_NAMED_MAX).join(', ')}${more}`;
}

const KEYS_NAMED_MAX = 3;
const ALARMS: readonly StoreAlarm[] = ['NOSPACE', 'CORRUPT'];
const alarmsIn = (text: string): readonly StoreAlarm[] => ALARMS.filter((alarm) => text.includes(alarm));

/**
 * One keepalive on a stream of its own, so that an answer can never be taken for that of another
 * request. Returns seconds; ≤ 0 means gone.
 */
function askOnce(stream: KeepAliveStream, leaseId: LeaseId): Promise<number> {
  return new Promise((resolve, reject) => {
    stream.on('data', (reply) => {
      if (reply.ID !== leaseId) return;
      resolve(Number(reply.TTL));
      stream.end();
    });
    stream.on('error', reject);
    stream.on('end', () => reject(new Error('14 UNAVAILABLE: the server ended the stream without an answer')));
    // The stream is ended only after the answer: etcd3 drops a dead connection when a stream fails
    // that is still writable.
    stream.write({ ID: leaseId });
  });
}

function checkHosts({ hosts, tls }: EtcdKvStoreOptions): void {
  if (hosts.length === 0) throw new OperationError('CONFIG_INVALID', 'etcd.hosts is empty');
  const secure = hosts.filter((host) => host.startsWith('https://')).length;
  if (secure > 0 && secure < hosts.length)
    throw new OperationError(
      'CONFIG_INVALID',
      `etcd.hosts mixes http and https: ${secure} of ${hosts.length} are https`,
    );
  if (tls && (tls.cert === undefined) !== (tls.key === undefined))
    throw new OperationError(
      'CONFIG_INVALID',
      'etcd.tls: a client certificate needs its key, and a key its certificate',
    );
  if (tls && secure === 0)
    throw new OperationError('CONFIG_INVALID', 'etcd.tls is set, but etcd.hosts are not https://');
}
