import { FeatureLevelRecordSchema, type KvCompare, type KvEvent, parseRecord } from '@understudy/shared';
import { SeededRandom } from '@understudy/shared/testing';
import { expect, test } from 'vitest';
import type { Node } from './node.ts';
import { KEYS, ScenarioCluster } from './scenario-cluster.ts';

const OLD = { level: 1, oldest: 1 };
const NEXT = { level: 2, oldest: 1 };
const SEEDS = 16;
const CHUNK_MS = 200;
const CHUNKS = 250;
/** What a coordinator of the next build writes once its level is in force. */
const USES = `${KEYS.root}uses/`;

interface Seen {
  readonly revision: number;
  readonly key: string;
  /** null: removed. */
  readonly value: string | null;
}

interface Use {
  readonly compare: KvCompare;
  readonly dueAtMs: number;
}

/**
 * Three coordinators that are replaced by others, of either build, paused and crashed; and one of
 * this build that is paused and whose lease etcd ends, again and again: it is gone, and back, at
 * any moment.
 */
class Builds {
  readonly cluster: ScenarioCluster;
  readonly seen: Seen[] = [];
  readonly #random: SeededRandom;
  readonly #next = new Set<Node>();
  readonly #paused = new Set<Node>();
  #due: Use[] = [];
  uses = 0;

  constructor(seed: number) {
    this.#random = new SeededRandom(seed);
    const raiseLevelAfterMs = this.#upTo(1_500);
    const watchLatencyMs = () => 1 + this.#upTo(3_000);
    this.cluster = new ScenarioCluster({ seed, coordinators: 4, watchLatencyMs, loop: { raiseLevelAfterMs } });
    this.cluster.kv.client('audit').watch(KEYS.root, 1, {
      onEvents: (events, revision) => events.forEach((event) => this.#note(event, revision)),
      onProgress: () => undefined,
      onCompacted: () => {
        throw new Error('compacted before it was seen');
      },
    });
    for (const index of [0, 1, 2]) this.#start(index, NEXT);
    this.#start(3, OLD);
  }

  #upTo(limit: number): number {
    return Math.floor(this.#random.next() * limit);
  }

  #note(event: KvEvent, revision: number): void {
    if (event.kind === 'put')
      this.seen.push({ revision: event.entry.modRevision, key: event.entry.key, value: event.entry.value });
    else this.seen.push({ revision, key: event.key, value: null });
  }

  #start(index: number, build: typeof OLD): void {
    const node = this.cluster.start(index, build);
    if (build === NEXT) this.#next.add(node);
  }

  async chunk(): Promise<void> {
    await this.cluster.clock.advance(CHUNK_MS);
    this.#use();
    const isAgreed = this.cluster.kv.entries(KEYS.level)[0]?.value.includes('"level":2') === true;
    if (!isAgreed && this.#random.next() < 0.15) this.#endLease('c4');
    if (!isAgreed && this.#random.next() < 0.15) this.#pauseOrResume('c4');
    if (this.#random.next() < 0.03) await this.#strike();
  }

  /** Etcd ends the lease of a coordinator's presence. */
  #endLease(id: string): void {
    const [entry] = this.cluster.kv.entries(KEYS.coordinator(id));
    if (entry !== undefined && entry.leaseId !== null) this.cluster.kv.revoke(entry.leaseId);
  }

  #pauseOrResume(id: string): void {
    const node = this.cluster.nodes.find((one) => one.id === id);
    if (!node) return;
    if (this.#paused.delete(node)) node.clock.resume();
    else {
      this.#paused.add(node);
      node.clock.pause();
    }
  }

  async #strike(): Promise<void> {
    const alive = this.cluster.nodes.filter((node) => !node.stopped && node.id !== 'c4');
    const node = alive[this.#upTo(alive.length)];
    const what = this.#random.next();
    if (!node) return;
    if (what < 0.4 && !this.#paused.has(node)) {
      this.#paused.add(node);
      node.clock.pause();
      return;
    }
    if (this.#paused.delete(node)) node.clock.resume();
    if (what < 0.6) return;
    // Without etcd it can give nothing back: its leases end by themselves, as after a crash.
    if (what < 0.8) node.kv.cut();
    await this.cluster.stop(node);
    this.#start(Number(node.id.slice(1)) - 1, this.#random.next() < 0.3 ? OLD : NEXT);
  }

  /** Whoever says that the level is in force writes what belongs to it: now, or much later. */
  #use(): void {
    const nowMs = this.cluster.clock.monotonicMs();
    for (const node of this.#next) {
      const compare = node.stopped ? null : node.coordinator.view.whileInForce(2);
      if (compare) this.#due.push({ compare, dueAtMs: nowMs + (this.#random.next() < 0.5 ? 0 : this.#upTo(30_000)) });
    }
    const due = this.#due.filter(({ dueAtMs }) => dueAtMs <= nowMs);
    this.#due = this.#due.filter(({ dueAtMs }) => dueAtMs > nowMs);
    for (const { compare } of due) {
      const put = { kind: 'put', key: `${USES}${this.uses}`, value: '{}' } as const;
      if (this.cluster.kv.apply({ compare: [compare], writes: [put] }).succeeded) this.uses += 1;
    }
  }
}

const levelIn = (value: string): number => (JSON.parse(value) as { featureLevel: number }).featureLevel;

/** Coordinators that were present when a level was agreed on that they do not understand. */
function stragglersIn(seen: readonly Seen[]): number {
  const present = new Map<string, number>();
  let count = 0;
  for (const { key, value } of seen) {
    if (key.startsWith(KEYS.coordinators) && value === null) present.delete(key);
    else if (key.startsWith(KEYS.coordinators) && value !== null) present.set(key, levelIn(value));
    else if (key === KEYS.level && value?.includes('"level":2'))
      count += [...present.values()].filter((level) => level < 2).length;
  }
  return count;
}

/** Everything that went wrong, by the order in etcd. */
function wrongs(seen: readonly Seen[]): string[] {
  const present = new Map<string, number>();
  const wrong: string[] = [];
  let agreed = 0;
  for (const { key, value, revision } of seen) {
    if (key.startsWith(USES)) {
      for (const [id, level] of present) if (level < 2) wrong.push(`${key} was written beside ${id} (${revision})`);
    }
    if (key.startsWith(KEYS.coordinators)) {
      if (value === null) present.delete(key);
      else {
        present.set(key, levelIn(value));
        if (levelIn(value) < agreed) wrong.push(`${key} came after level ${agreed} was agreed on (${revision})`);
      }
    }
    if (key === KEYS.level && value !== null) {
      const { level } = parseRecord(FeatureLevelRecordSchema, key, value);
      if (level < agreed) wrong.push(`the level was lowered (${revision})`);
      agreed = level;
    }
  }
  return wrong;
}

test('whatever is started, paused and killed: nothing of a level is written beside who does not understand it', async () => {
  let [uses, raised, stragglers] = [0, 0, 0];
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const builds = new Builds(seed);
    for (let chunk = 0; chunk < CHUNKS; chunk += 1) await builds.chunk();
    expect(wrongs(builds.seen), `seed ${seed}`).toEqual([]);
    expect(
      builds.cluster.nodes.flatMap(({ fatal }) => fatal),
      `seed ${seed}`,
    ).toEqual([]);
    uses += builds.uses;
    raised += builds.seen.filter(({ key, value }) => key === KEYS.level && value?.includes('"level":2')).length;
    stragglers += stragglersIn(builds.seen);
  }
  // It came to that: the level was raised, also beside one that had just come, and it was used.
  expect(raised).toBeGreaterThan(SEEDS / 2);
  expect(stragglers).toBeGreaterThan(0);
  expect(uses).toBeGreaterThan(SEEDS);
}, 120_000);
