import { CoordinatorRecordSchema, GroupPolicySchema, keyspace, parseRecord } from '@understudy/shared';
import { PausableClock, RecordingLog, SeededRandom, SimClock, SimKv } from '@understudy/shared/testing';
import { ClusterState } from '../store/cluster-state.ts';
import { TIMING } from '../leadership/leadership.fixtures.ts';
import { type Build, THIS_BUILD } from '../store/feature-level.ts';
import { LevelGate } from '../store/level-gate.ts';
import { Presence } from './presence.ts';
import { RecordWriter } from '../store/record-writer.ts';
import { Session } from '../store/session.ts';

const KEYS = keyspace();
export const KEY = KEYS.coordinator('c1');

interface StartOptions {
  readonly watchLatencyMs?: number;
  readonly writesRefused?: () => boolean;
  readonly build?: Build;
}

/** Processes that all run as "c1", over one etcd. */
export function namesakes() {
  const clock = new SimClock();
  const kv = new SimKv({ clock, expiryLagMs: 500 });
  let count = 0;
  const start = (options: StartOptions = {}) => {
    const { build = THIS_BUILD } = options;
    const name = `p${++count}`;
    const own = new PausableClock(clock);
    const store = kv.client(name, { clock: own, latencyMs: 1, watchLatencyMs: options.watchLatencyMs ?? 1 });
    const log = new RecordingLog();
    const deps = { store, clock: own, random: new SeededRandom(count), log, keys: KEYS };
    const session = new Session(deps, TIMING);
    const policy = GroupPolicySchema.parse({});
    const policyLimits = { heartbeatMs: 1_000, warmUpMs: 20_000, tickMs: 250 };
    const view = new ClusterState({ ...deps, defaultPolicy: policy, policyLimits, build, freshForMs: TIMING.ttlMs });
    const record = {
      ...{ coordinatorId: 'c1', az: 'a', udpEndpoint: `10.0.0.${count}:7946`, httpUrl: `http://10.0.0.${count}` },
      ...{ startedAtWallMs: own.wallMs(), version: 'test', processId: name, answersHoldMs: 20_000 },
      featureLevel: build.level,
    };
    const levelGate = new LevelGate({ key: KEYS.level, build, log });
    levelGate.follow(view);
    const writer = new RecordWriter({ ...deps, writtenBy: 'c1' });
    const { writesRefused } = options;
    const asked = writesRefused === undefined ? {} : { writesRefused };
    const presence = new Presence({
      ...deps,
      ...asked,
      record,
      session,
      writer,
      view,
      levelGate,
      leaseTtlMs: TIMING.ttlMs,
    });
    session.start();
    view.start();
    presence.start();
    const kill = () => {
      own.pause();
      store.cut();
    };
    const close = async () => {
      await clock.runUntilSettled(presence.close(), 60_000);
      await clock.runUntilSettled(session.close(), 60_000);
      view.close();
    };
    return { name, clock: own, store, log, session, presence, kill, close };
  };
  const entry = () => kv.entries(KEY)[0] ?? null;
  const holder = () => {
    const found = entry();
    return found ? parseRecord(CoordinatorRecordSchema, found.key, found.value).processId : null;
  };
  const until = async (fact: () => boolean, limitMs: number) => {
    const fromMs = clock.monotonicMs();
    while (!fact() && clock.monotonicMs() - fromMs <= limitMs) await clock.advance(50);
    if (!fact()) throw new Error(`not within ${limitMs} ms`);
    return clock.monotonicMs() - fromMs;
  };
  return { clock, kv, start, entry, holder, until };
}
