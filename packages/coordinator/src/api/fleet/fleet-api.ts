import { createHash } from 'node:crypto';
import type {
  Clock,
  FleetHeard,
  FleetObserver,
  FleetView,
  HeardView,
  MemberId,
  Standing,
  StatusView,
} from '@understudy/shared';
import type { ObserverTable } from '@understudy/observer';
import type { FleetSource } from '../http/api-source.ts';
import type { ClusterState } from '../../store/cluster-state.ts';
import { type FeedEvent, FleetFeed, type FleetPass } from './fleet-feed.ts';
import { fleetRow, FleetRows, type FleetRowSources } from './fleet-rows.ts';
import { type AskPeer, HeardOfPeers, type Peer } from './heard-of-peers.ts';

export interface FleetApiOptions extends FleetRowSources {
  readonly coordinatorId: string;
  readonly az: string;
  readonly clock: Clock;
  readonly view: ClusterState;
  readonly observer: Pick<ObserverTable, 'heardColumns' | 'abstention'>;
  readonly verdicts: FleetRowSources['verdicts'] & {
    leader(): { readonly coordinatorId: string } | null;
    standing(): Standing;
  };
  readonly status: () => StatusView;
  readonly askPeer: AskPeer;
}

const orderOf = (members: readonly MemberId[]): string =>
  createHash('sha256').update(members.join('\n')).digest('hex').slice(0, 16);

/**
 * Members of an area's changed keys: `<root>members/db/one` and `<root>opinions/db/one/c1` alike.
 */
function memberOf(root: string, key: string): MemberId | null {
  const [, group, name] = key.slice(root.length).split('/');
  return group === undefined || name === undefined ? null : `${group}/${name}`;
}

/** `GET /v1/fleet`, its stream, and `GET /v1/heard`. It reads, and decides nothing. */
export class FleetApi implements FleetSource {
  readonly #options: FleetApiOptions;
  readonly #peers: HeardOfPeers;
  readonly #feed: FleetFeed;
  readonly #rows: FleetRows;
  readonly #dirty = new Set<MemberId>();
  #allDirty = false;
  #sorted: { readonly members: readonly MemberId[]; readonly order: string } | null = null;
  #observers: readonly FleetObserver[] = [];
  #unsubscribe: (() => void) | null = null;

  constructor(options: FleetApiOptions) {
    const { clock, askPeer } = options;
    this.#options = options;
    this.#peers = new HeardOfPeers({ ask: askPeer, clock });
    this.#rows = new FleetRows((member) => fleetRow(options, member, this.#observers, clock.wallMs()));
    this.#feed = new FleetFeed(
      {
        askPeers: () => this.#peers.round(this.#others()),
        pass: () => this.#pass(),
        fleet: () => this.#view(),
        status: options.status,
        rest: () => this.#rest(),
      },
      clock,
    );
  }

  /** Tells everything at once, then what changes, until the returned function is called. */
  watch(watcher: (event: FeedEvent) => void): () => void {
    this.#unsubscribe ??= this.#options.view.onChange((changed) => this.#noteChanged(changed));
    return this.#feed.watch(watcher);
  }

  close(): void {
    this.#feed.close();
  }

  /** One answer, for callers that do not watch. */
  fleet(): FleetView {
    if (!this.#feed.isWatched) this.#fill();
    return this.#view();
  }

  /** What our own observer hears. `order`: the order of members that the caller knows. */
  heard(order: string | null): HeardView {
    const { coordinatorId, observer, clock } = this.#options;
    const sorted = this.#membersInOrder();
    return {
      coordinatorId,
      abstains: observer.abstention?.reason ?? null,
      order: sorted.order,
      members: order === sorted.order ? null : [...sorted.members],
      ...copied(observer.heardColumns(sorted.members, clock.monotonicMs())),
    };
  }

  #rest(): void {
    this.#peers.forget();
    this.#unsubscribe?.();
    this.#unsubscribe = null;
    this.#dirty.clear();
    this.#rows.fill([]);
  }

  /** A pause, a policy, another coordinator or leader may change every row. */
  #noteChanged(changed: readonly string[]): void {
    const { root } = this.#options.view.records;
    for (const key of changed) {
      const member = /^(?:members|activations|intents|holds|judgements|opinions)\//.test(key.slice(root.length))
        ? memberOf(root, key)
        : null;
      if (member) this.#dirty.add(member);
      else if (!/^(?:journal|history|requests|findings)\//.test(key.slice(root.length))) this.#allDirty = true;
    }
  }

  #membersInOrder() {
    const { members } = this.#options.view.records;
    const known = this.#sorted;
    if (known && known.members.length === members.size && known.members.every((member) => members.has(member)))
      return known;
    const sorted = [...members.keys()].sort();
    return (this.#sorted = { members: sorted, order: orderOf(sorted) });
  }

  #others(): readonly Peer[] {
    return [...this.#options.view.records.coordinators.values()]
      .map(({ record }) => ({ coordinatorId: record.coordinatorId, httpUrl: record.httpUrl }))
      .filter(({ coordinatorId }) => coordinatorId !== this.#options.coordinatorId);
  }

  #fill(): void {
    this.#observers = this.#listObservers();
    this.#rows.fill(this.#membersInOrder().members);
    this.#dirty.clear();
    this.#allDirty = false;
  }

  #pass(): FleetPass {
    const before = this.#observers.map(({ coordinatorId }) => coordinatorId).join();
    this.#observers = this.#listObservers();
    const sameObservers = before === this.#observers.map(({ coordinatorId }) => coordinatorId).join();
    if (!sameObservers || this.#rows.members !== this.#membersInOrder().members) {
      this.#fill();
      return { delta: null };
    }
    const dirty = this.#allDirty ? new Set(this.#rows.members) : new Set(this.#dirty);
    this.#dirty.clear();
    this.#allDirty = false;
    return { delta: { ...this.#head(), changed: this.#rows.refresh(dirty), heard: this.#heardNow() } };
  }

  /**
   * Sorted by id, so that a column keeps its place. Ourselves too, while we are not (yet) in etcd.
   */
  #listObservers(): readonly FleetObserver[] {
    const { coordinatorId, az, view, verdicts, observer } = this.#options;
    const leader = verdicts.leader()?.coordinatorId;
    const listed = [...view.records.coordinators.values()].map(({ record }) => record);
    const all = new Map(listed.map((one) => [one.coordinatorId, one.az]));
    all.set(coordinatorId, az);
    return [...all]
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([id, zone]) => {
        const self = id === coordinatorId;
        const { answeredAgoMs, abstains, problem } = this.#peers.columns(id, []);
        return {
          ...{ coordinatorId: id, az: zone, self, leader: id === leader },
          answeredAgoMs: self ? 0 : answeredAgoMs,
          abstains: self ? (observer.abstention?.reason ?? null) : abstains,
          problem: self ? null : problem,
        };
      });
  }

  #head() {
    const { coordinatorId, clock, view, verdicts } = this.#options;
    const contactAgeMs = view.contactAgeMs();
    return {
      coordinatorId,
      atWallMs: clock.wallMs(),
      store: { fresh: view.isFresh(), lastContactAgoMs: contactAgeMs === null ? null : Math.round(contactAgeMs) },
      judgement: verdicts.standing(),
      observers: [...this.#observers],
    };
  }

  #heardNow(): FleetHeard {
    const { coordinatorId, observer, clock } = this.#options;
    const { members } = this.#rows;
    const columns = this.#observers.map((one) =>
      one.coordinatorId === coordinatorId
        ? observer.heardColumns(members, clock.monotonicMs())
        : this.#peers.columns(one.coordinatorId, members),
    );
    return {
      ageDs: columns.map(({ ageDs }) => [...ageDs]),
      phiTenths: columns.map(({ phiTenths }) => [...phiTenths]),
    };
  }

  #view(): FleetView {
    return { ...this.#head(), members: [...this.#rows.rows], heard: this.#heardNow() };
  }
}

const copied = ({ ageDs, phiTenths }: { ageDs: readonly number[]; phiTenths: readonly number[] }) => ({
  ageDs: [...ageDs],
  phiTenths: [...phiTenths],
});
