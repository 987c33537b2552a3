import { EtcdKvStore, Leadership, type LeaseTiming, LevelGate } from '@understudy/coordinator/testing';
import { type Clock, type Keyspace, keyspace, wallMs } from '@understudy/shared';
import { SystemClock, SystemRandom, until } from '@understudy/shared/node';
import { RecordingLog } from '@understudy/shared/testing';
import { SwallowingProxy } from './swallowing-proxy.ts';

export const TIMING: LeaseTiming = { ttlMs: 2000, keepaliveMs: 300, marginMs: 300, callTimeoutMs: 500 };

/** Looks every 5 ms, and says how long it took until `fact` held. */
export async function msUntil(what: string, fact: () => boolean, limitMs = 10_000): Promise<number> {
  const fromMs = performance.now();
  await until(what, fact, limitMs, 5);
  return performance.now() - fromMs;
}

/** The real clock with a wall that steps. */
export class SteppingClock extends SystemClock {
  stepMs = 0;

  override wallMs() {
    return wallMs(super.wallMs() + this.stepMs);
  }
}

/** What a coordinator needs to lead, behind a proxy of its own. */
export interface CoordinatorUnderTest {
  readonly id: string;
  readonly proxy: SwallowingProxy;
  readonly store: EtcdKvStore;
  readonly leadership: Leadership;
  readonly log: RecordingLog;
  close(): Promise<void>;
}

export async function coordinatorUnderTest(options: {
  readonly id: string;
  readonly port: number;
  readonly root: string;
  readonly clock?: Clock;
  /** Called before each transaction is sent, on a connection that works. */
  readonly beforeTxn?: (proxy: SwallowingProxy) => void;
  /** Further members, reached directly. */
  readonly otherHosts?: readonly string[];
}): Promise<CoordinatorUnderTest> {
  const { id, port, root, clock = new SystemClock() } = options;
  const proxy = await SwallowingProxy.listen(port);
  const random = new SystemRandom();
  const log = new RecordingLog();
  const hosts = [proxy.host, ...(options.otherHosts ?? [])];
  const store = new EtcdKvStore({ clock, random, hosts, callTimeoutMs: TIMING.callTimeoutMs });
  const keys: Keyspace = keyspace(root);
  const self = { coordinatorId: id, az: 'az-a', httpUrl: 'http://127.0.0.1:1' };
  if (options.beforeTxn) hookTxn(store, () => options.beforeTxn?.(proxy));
  const levelGate = new LevelGate({ key: keys.level, log });
  const leadership = new Leadership({
    levelGate,
    store,
    clock,
    random,
    log,
    keys,
    self,
    timing: TIMING,
    afterResignMs: 300,
  });
  const close = async () => {
    await leadership.close();
    await store.close();
    await proxy.close();
  };
  return { id, proxy, store, leadership, log, close };
}

function hookTxn(store: EtcdKvStore, hook: () => void): void {
  const txn = store.txn.bind(store);
  store.txn = async (request) => {
    await store.get('/connected').catch(() => undefined);
    hook();
    return await txn(request);
  };
}
