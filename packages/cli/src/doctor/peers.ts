import { createSocket } from 'node:dgram';
import { type Clock, CoordinatorRecordSchema, errorText, type KeysView } from '@understudy/shared';
import { coordinatorClient } from '@understudy/shared/node';
import { within } from '../client/within.ts';
import { readKeys } from '../inspection/inspected-key.ts';

/**
 * Another coordinator (or our own, where it runs), as etcd names it and as it is reached from here.
 */
export interface PeerFacts {
  readonly coordinatorId: string;
  readonly az: string;
  readonly httpUrl: string;
  readonly udpEndpoint: string;
  /** Why it does not answer over HTTP. Null: it does. */
  readonly httpProblem: string | null;
  /**
   * `refused`: its host says that nothing listens there. `no-refusal`: a listener and a firewall
   * that swallows datagrams look the same, because nobody answers a stranger's datagram.
   */
  readonly udp: 'refused' | 'no-refusal' | 'unknown';
  readonly keys: KeysView | null;
  readonly clockAheadMs: number | null;
}

const ANSWER_WITHIN_MS = 4_000;
const REFUSED_WITHIN_MS = 500;

/** Where `host:port` and `[host]:port` lead. */
function endpointOf(text: string): { host: string; port: number } | null {
  const [, bracketed, bare, port] = /^(?:\[([^\]]+)\]|([^:]+)):(\d+)$/.exec(text) ?? [];
  const host = bracketed ?? bare;
  return host === undefined || port === undefined ? null : { host, port: Number(port) };
}

/** Sends one datagram that means nothing, and waits for the host to say that nobody listens. */
export async function askUdp(endpoint: string, clock: Clock): Promise<PeerFacts['udp']> {
  const to = endpointOf(endpoint);
  if (to === null) return 'unknown';
  const socket = createSocket(to.host.includes(':') ? 'udp6' : 'udp4');
  const { promise, resolve } = Promise.withResolvers<PeerFacts['udp']>();
  socket.once('error', (error: NodeJS.ErrnoException) =>
    resolve(error.code === 'ECONNREFUSED' ? 'refused' : 'unknown'),
  );
  socket.connect(to.port, to.host, () => socket.send(Buffer.from([0])));
  const timer = clock.setTimer(REFUSED_WITHIN_MS, () => resolve('no-refusal'));
  try {
    return await promise;
  } finally {
    timer.cancel();
    socket.close();
  }
}

async function askHttp(url: string, send: typeof fetch, clock: Clock) {
  try {
    const response = await within(clock, ANSWER_WITHIN_MS, async (signal) => {
      const answer = await send(new URL('/healthz', url), { signal });
      await answer.text();
      return answer;
    });
    const date = Date.parse(response.headers.get('date') ?? '');
    const clockAheadMs = Number.isNaN(date) ? null : date + 500 - clock.wallMs();
    return { httpProblem: response.ok ? null : `it answers ${response.status}`, clockAheadMs };
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    return { httpProblem: errorText(cause), clockAheadMs: null };
  }
}

export interface PeerAccess {
  readonly configPath: string;
  readonly root: string;
  readonly fetch: typeof fetch;
  readonly token: string | null;
  readonly clock: Clock;
}

/** Every coordinator that etcd names. */
export async function peerFacts({ configPath, root, fetch: send, token, clock }: PeerAccess) {
  const { openStore } = await import('@understudy/coordinator');
  const store = openStore({ configPath });
  try {
    const entries = await readKeys(store, root, 'coordinators/');
    const records = entries.flatMap(({ record, problem }) =>
      problem === null ? [CoordinatorRecordSchema.parse(record)] : [],
    );
    return await Promise.all(
      records.map(async ({ coordinatorId, az, httpUrl, udpEndpoint }): Promise<PeerFacts> => {
        const [http, udp, keys] = await Promise.all([
          askHttp(httpUrl, send, clock),
          askUdp(udpEndpoint, clock),
          coordinatorClient([httpUrl], { token, fetch: send })
            .keys()
            .catch(() => null),
        ]);
        return { coordinatorId, az, httpUrl, udpEndpoint, udp, keys, ...http };
      }),
    );
  } finally {
    await store.close();
  }
}
