import { openStore } from '@understudy/coordinator';
import { type Clock, KEY_ROOT, type KvStore } from '@understudy/shared';
import type { RunningProcess, LocalCluster } from '@understudy/local-cluster';
import { type CloudReading, type CloudState, isAlive } from './cloud-reading.ts';
import type { MeasureName } from './measures.ts';
import { readProcess } from './proc.ts';
import type { Kind, Recording } from './recording.ts';

const READ_TIMEOUT_MS = 2_000;

/**
 * Our names of measures that etcd and Node call otherwise. The value is the first sample of that
 * metric.
 */
const ETCD_METRICS: Partial<Record<MeasureName, string>> = {
  databaseBytes: 'etcd_mvcc_db_total_size_in_bytes',
  databaseUsedBytes: 'etcd_mvcc_db_total_size_in_use_in_bytes',
  revision: 'etcd_debugging_mvcc_current_revision',
};
const COORDINATOR_METRICS: Partial<Record<MeasureName, string>> = {
  heapBytes: 'nodejs_heap_size_used_bytes',
  resources: 'nodejs_active_resources_total',
};

export interface SamplerOptions {
  readonly clock: Clock;
  readonly cluster: LocalCluster;
  readonly cloud: CloudReading;
  readonly recording: Recording;
  readonly startedAtMs: number;
}

const kindOf = ({ name }: RunningProcess): Kind =>
  name.startsWith('etcd') ? 'etcd' : name === 'cloud-sim' ? 'cloud-sim' : 'coordinator';

const seriesOf = ({ name, pid }: RunningProcess): string => `${name} (${pid})`;

function metric(text: string, name: string): number | null {
  const line = text.split('\n').find((each) => each.startsWith(`${name} `));
  const value = Number(line?.slice(name.length + 1));
  return line !== undefined && Number.isFinite(value) ? value : null;
}

/**
 * Takes one sample of everything per call. A process that does not answer (it was killed a moment
 * ago) is left out of that sample.
 */
export class Sampler {
  readonly #options: SamplerOptions;
  readonly #store: KvStore;
  readonly #cpu = new Map<number, { readonly atMs: number; readonly seconds: number }>();

  constructor(options: SamplerOptions) {
    this.#options = options;
    this.#store = openStore({ hosts: options.cluster.etcdHosts });
  }

  async sample(): Promise<void> {
    const { cluster, cloud } = this.#options;
    const running = cluster.group.all().filter((one) => !one.hasExited());
    for (const one of running) this.#process(kindOf(one), seriesOf(one), one.pid);
    await Promise.allSettled([
      cloud.state().then((state) => this.#cloud(state)),
      this.#keys(),
      ...running.map((one) => this.#metrics(one)),
    ]);
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  get #atMs(): number {
    return this.#options.clock.monotonicMs() - this.#options.startedAtMs;
  }

  #add(kind: Kind, name: string, measure: MeasureName, value: number): void {
    this.#options.recording.add(kind, name, measure, { atMs: this.#atMs, value });
  }

  #process(kind: Kind, name: string, pid: number): void {
    const reading = readProcess(pid);
    if (!reading) return;
    const pools = kind === 'coordinator' || kind === 'cloud-sim';
    this.#add(kind, name, kind === 'etcd' ? 'storeRssBytes' : 'rssBytes', reading.rssBytes);
    this.#add(kind, name, pools ? 'pooledFiles' : 'openFiles', reading.openFiles);
    const atMs = this.#atMs;
    const before = this.#cpu.get(pid);
    this.#cpu.set(pid, { atMs, seconds: reading.cpuSeconds });
    if (before) {
      const share = (reading.cpuSeconds - before.seconds) / ((atMs - before.atMs) / 1_000);
      this.#add(kind, name, 'cpuShare', share);
    }
  }

  #cloud(state: CloudState): void {
    for (const [instanceId, { pid }] of Object.entries(state.machines))
      if (pid !== null) this.#process('agent', `${instanceId} (${pid})`, pid);
    const counts = {
      instances: state.instances.filter(isAlive).length,
      volumes: state.volumes.length,
      snapshots: state.snapshots.length,
      images: state.images.length,
      networkInterfaces: state.networkInterfaces.length,
    } as const;
    for (const [measure, count] of Object.entries(counts))
      this.#add('EC2 objects', 'cloud', measure as keyof typeof counts, count);
  }

  async #keys(): Promise<void> {
    const { entries } = await this.#store.range(KEY_ROOT);
    const areas = [
      'coordinators',
      'opinions',
      'judgements',
      'members',
      'activations',
      'intents',
      'journal',
      'holds',
      'history',
    ] as const;
    for (const area of areas) {
      const count = entries.filter(({ key }) => key.startsWith(`${KEY_ROOT}${area}/`)).length;
      this.#add('etcd keys', 'cluster', area, count);
    }
    this.#add('etcd keys', 'cluster', 'allKeys', entries.length);
  }

  async #metrics(one: RunningProcess): Promise<void> {
    const { cluster } = this.#options;
    const etcdAt = ['etcd-1', 'etcd-2', 'etcd-3'].indexOf(one.name);
    const url = etcdAt >= 0 ? cluster.etcdHosts[etcdAt] : cluster.urls[cluster.coordinatorIds.indexOf(one.name)];
    if (url === undefined) return;
    const response = await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(READ_TIMEOUT_MS) });
    const text = await response.text();
    const wanted = etcdAt >= 0 ? ETCD_METRICS : COORDINATOR_METRICS;
    for (const [measure, name] of Object.entries(wanted)) {
      const value = metric(text, name);
      if (value !== null) this.#add(kindOf(one), seriesOf(one), measure as MeasureName, value);
    }
    const [revision, compacted] = ['current_revision', 'compact_revision'].map((name) =>
      metric(text, `etcd_debugging_mvcc_${name}`),
    );
    if (typeof revision === 'number' && typeof compacted === 'number')
      this.#add('etcd', seriesOf(one), 'revisionsKept', revision - Math.max(0, compacted));
  }
}
