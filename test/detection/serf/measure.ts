import { SystemClock } from '@understudy/shared/node';
import { SeededRandom } from '@understudy/shared/testing';
import type { SerfCluster } from './serf-cluster.ts';

/** What is said of one node within this time is one verdict, whoever says it. */
const ONE_VERDICT_MS = 15_000;
const JOIN_LIMIT_MS = 60_000;
const LOOK_EVERY_MS = 250;

const clock = new SystemClock();
const never = new AbortController().signal;

export interface SerfRate {
  readonly name: string;
  readonly nodeSeconds: number;
  /** Verdicts about nodes that ran all the time. */
  readonly falseVerdicts: number;
}

export interface SerfCrash {
  readonly firstMs: number;
  readonly allMs: number;
}

/** How the loss of every node changes while it is measured. */
export type LossPlan =
  | { readonly kind: 'steady'; readonly ratio: number }
  | { readonly kind: 'bursts'; readonly badMs: number; readonly goodMs: number };

const pause = (ms: number): Promise<void> => clock.sleep(ms, never);

/** @throws when not all see each other in time */
export async function settle(cluster: SerfCluster): Promise<void> {
  const untilMs = performance.now() + JOIN_LIMIT_MS;
  const all = Array.from({ length: cluster.size }, (_, index) => index);
  for (const index of all) cluster.setLoss(index, 0);
  while (!all.every((index) => cluster.alive(index) === cluster.size)) {
    if (performance.now() > untilMs) throw new Error('the Serf cluster did not come together');
    await pause(1_000);
  }
}

/** The state of one node's uplink over time: bad for `badMs` on average, good for `goodMs`. */
class Uplink {
  readonly #setLoss: (ratio: number) => void;
  readonly #random: SeededRandom;
  readonly #plan: { readonly badMs: number; readonly goodMs: number };
  #bad = false;
  #untilMs = 0;

  constructor(
    setLoss: (ratio: number) => void,
    random: SeededRandom,
    plan: { readonly badMs: number; readonly goodMs: number },
  ) {
    this.#setLoss = setLoss;
    this.#random = random;
    this.#plan = plan;
  }

  keepUp(nowMs: number): void {
    if (nowMs < this.#untilMs) return;
    this.#bad = this.#untilMs > 0 && !this.#bad;
    const meanMs = this.#bad ? this.#plan.badMs : this.#plan.goodMs;
    this.#untilMs = nowMs - Math.log(1 - this.#random.next()) * meanMs;
    this.#setLoss(this.#bad ? 0.91 : 0.01);
  }
}

/** Watches a whole, healthy cluster behind lossy uplinks for a while. */
export async function falseVerdicts(cluster: SerfCluster, name: string, plan: LossPlan, ms: number): Promise<SerfRate> {
  await settle(cluster);
  const from = cluster.failures.length;
  const startedAtMs = performance.now();
  const random = new SeededRandom(7);
  const uplinks =
    plan.kind === 'bursts'
      ? Array.from(
          { length: cluster.size },
          (_, index) => new Uplink((ratio) => cluster.setLoss(index, ratio), random, plan),
        )
      : [];
  if (plan.kind === 'steady') for (let index = 0; index < cluster.size; index++) cluster.setLoss(index, plan.ratio);
  while (performance.now() - startedAtMs < ms) {
    for (const uplink of uplinks) uplink.keepUp(performance.now());
    await pause(LOOK_EVERY_MS);
  }
  const heldMs = performance.now() - startedAtMs;
  const seen = new Map<string, number>();
  let verdicts = 0;
  for (const { node, atMs } of cluster.failures.slice(from)) {
    if (atMs - (seen.get(node) ?? Number.NEGATIVE_INFINITY) >= ONE_VERDICT_MS) verdicts++;
    seen.set(node, atMs);
  }
  return { name, nodeSeconds: (heldMs / 1_000) * cluster.size, falseVerdicts: verdicts };
}

/** Kills nodes one after the other, without any loss, and brings each back. */
export async function crashes(cluster: SerfCluster, count: number): Promise<readonly SerfCrash[]> {
  const found: SerfCrash[] = [];
  for (let crash = 0; crash < count; crash++) {
    await settle(cluster);
    // The first two are whom the others join by.
    const index = 2 + (crash % (cluster.size - 2));
    const from = cluster.failures.length;
    const killedAtMs = performance.now();
    cluster.kill(index);
    const told = () => {
      const about = cluster.failures.slice(from).filter(({ node }) => node === cluster.nameOf(index));
      return new Map(about.toReversed().map(({ by, atMs }) => [by, atMs - killedAtMs]));
    };
    while (told().size < cluster.size - 1) {
      if (performance.now() - killedAtMs > JOIN_LIMIT_MS) throw new Error(`${index} was not called failed by all`);
      await pause(20);
    }
    const times = [...told().values()];
    found.push({ firstMs: Math.min(...times), allMs: Math.max(...times) });
    cluster.start(index);
  }
  return found;
}
