import { HistoryRecordSchema, type HistoryRecord, type KvWrite, type MemberId, parseRecord } from '@understudy/shared';
import type { ClusterEvent } from '../cluster/cluster-event.ts';
import { HOOKS } from '../cluster/simulated-hooks.ts';
import type { SimulatedCluster } from '../cluster/simulated-cluster.ts';
import type { MakeWatcher, Report, Watcher } from './invariant.ts';

/** Step → the hook that must have passed before anything of it is written down. */
const BEFORE: readonly (readonly [suffix: string, hook: string])[] = [
  ['/fence', HOOKS['before-fence']],
  ['/activate', HOOKS['before-activate']],
];

/**
 * I13: what a hook comes before is not begun until it has passed, and a recovery that is over has
 * run its hooks.
 */
class HookOrder implements Watcher {
  readonly #cluster: SimulatedCluster;
  readonly #report: Report;
  /** `OP.HOOK`, by whoever ran it. */
  readonly #begun = new Set<string>();
  readonly #passed = new Set<string>();

  constructor(cluster: SimulatedCluster, report: Report) {
    this.#cluster = cluster;
    this.#report = report;
  }

  onClusterEvent(clusterEvent: ClusterEvent): void {
    if (clusterEvent.kind === 'hook') {
      const key = clusterEvent.id.replace(/\.\d+$/, '');
      if (clusterEvent.what === 'begun') this.#begun.add(key);
      if (clusterEvent.what === 'passed') this.#passed.add(key);
    }
    if (clusterEvent.kind !== 'commit' || this.#cluster.shape.identities !== true) return;
    for (const write of clusterEvent.commit.txn.writes) this.#written(write, clusterEvent.commit.revision);
  }

  #written(write: KvWrite, revision: number): void {
    const { keys, kv } = this.#cluster;
    if (write.kind !== 'put') return;
    const isNew = kv.state.get(write.key)?.createRevision === revision;
    if (!isNew) return;
    if (write.key.startsWith(keys.journal)) this.#began(write.key);
    if (write.key.startsWith(keys.history)) this.#closed(parseRecord(HistoryRecordSchema, write.key, write.value));
  }

  #began(key: string): void {
    const opId = key.split('/').at(-2) ?? '';
    for (const [suffix, hook] of BEFORE)
      if (key.endsWith(suffix) && !this.#passed.has(`${opId}.${hook}`) && !this.#isGivenUp(opId, hook))
        this.#report('I13', `${key} was begun, and the hook ${hook} has not passed`);
  }

  #isGivenUp(opId: string, hook: string): boolean {
    const intents = this.#cluster.members.flatMap((member) => this.#cluster.records.intent(member) ?? []);
    const intent = intents.find((one) => one.opId === opId);
    return intent?.acceptedLosses?.includes(`hook:${hook}`) === true;
  }

  #closed({ opId, outcome, failureHooks, acts = [], losses = [] }: HistoryRecord): void {
    if (outcome === 'mended') return;
    if (outcome !== 'replaced') {
      if (!failureHooks) this.#report('I13', `${opId} is ${outcome}, and owes no hook on failure`);
      return;
    }
    const givenUp = JSON.stringify([acts, losses]);
    for (const hook of [HOOKS['after-fence'], HOOKS['after-activate']])
      if (!this.#begun.has(`${opId}.${hook}`) && !givenUp.includes(`hook:${hook}`))
        this.#report('I13', `${opId} is closed, and the hook ${hook} was not run`);
  }
}

export const watchHooks: MakeWatcher = (cluster, report) => new HookOrder(cluster, report);

/** Hooks on failure that nobody has seen the end of. */
export const owedHooks = (cluster: SimulatedCluster): readonly string[] =>
  cluster.members.flatMap((member: MemberId) =>
    cluster.kv
      .entries(cluster.keys.historyOf(member))
      .map((entry) => parseRecord(HistoryRecordSchema, entry.key, entry.value))
      .flatMap(({ opId, failureHooks = [] }) =>
        failureHooks.flatMap(({ name, ended }) => (ended ? [] : [`the hook ${name} of ${opId} has not run to an end`])),
      ),
  );
