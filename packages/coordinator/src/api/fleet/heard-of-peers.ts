import {
  type Clock,
  errorText,
  type HeardView,
  HeardViewSchema,
  type MemberId,
  type MonotonicMs,
} from '@understudy/shared';

/** Asks another coordinator, as one of the cluster. Rejects when it does not answer in time. */
export type AskPeer = (peer: Peer, path: string) => Promise<unknown>;

/** Another coordinator, and where its HTTP server is. */
export interface Peer {
  readonly coordinatorId: string;
  readonly httpUrl: string;
}

/** The last answer of one peer. */
interface Heard {
  readonly view: HeardView;
  readonly atMs: MonotonicMs;
}

/** What a peer hears, in the order of our own members, as of now. */
export interface PeerColumns {
  readonly ageDs: readonly number[];
  readonly phiTenths: readonly number[];
  readonly answeredAgoMs: number | null;
  readonly abstains: string | null;
  readonly problem: string | null;
}

interface PeerState {
  heard: Heard | null;
  /** Order that its last list of members belongs to, with where each of ours stands in it. */
  order: string;
  places: ReadonlyMap<MemberId, number>;
  problem: string | null;
  underWay: boolean;
}

const UNKNOWN = -1;
/** Ages of an answer that is older than this say nothing. */
const OLD_MS = 60_000;

/**
 * What the other coordinators hear. Each is asked at most once in a round, and never twice at once;
 * the last answer is kept, and grows older. Peers that are no longer there are forgotten, so it
 * holds no more than there are coordinators.
 */
export class HeardOfPeers {
  readonly #ask: AskPeer;
  readonly #clock: Clock;
  readonly #peers = new Map<string, PeerState>();

  constructor(options: { readonly ask: AskPeer; readonly clock: Clock }) {
    this.#ask = options.ask;
    this.#clock = options.clock;
  }

  /** Asks all of them, without waiting for answers. */
  round(peers: readonly Peer[]): void {
    const known = new Set(peers.map(({ coordinatorId }) => coordinatorId));
    for (const id of this.#peers.keys()) if (!known.has(id)) this.#peers.delete(id);
    for (const peer of peers) void this.#askOne(peer);
  }

  /** Forgets every answer: nobody looks any more. */
  forget(): void {
    this.#peers.clear();
  }

  async #askOne(peer: Peer): Promise<void> {
    const state = this.#peers.get(peer.coordinatorId) ?? newState();
    this.#peers.set(peer.coordinatorId, state);
    if (state.underWay) return;
    state.underWay = true;
    try {
      const query = state.order === '' ? '' : `?order=${encodeURIComponent(state.order)}`;
      const view = HeardViewSchema.parse(await this.#ask(peer, `/v1/heard${query}`));
      this.#take(state, view);
    } catch (error) {
      state.problem = errorText(error);
      // It may know another order by now.
      state.order = '';
    } finally {
      state.underWay = false;
    }
  }

  #take(state: PeerState, view: HeardView): void {
    if (view.members !== null) {
      state.order = view.order;
      state.places = new Map(view.members.map((member, index) => [member, index]));
    } else if (view.order !== state.order) return;
    state.heard = { view, atMs: this.#clock.monotonicMs() };
    state.problem = null;
  }

  /** Its columns for these members. All unknown while it has not answered. */
  columns(coordinatorId: string, members: readonly MemberId[]): PeerColumns {
    const state = this.#peers.get(coordinatorId);
    const heard = state?.heard ?? null;
    const agoMs = heard ? this.#clock.monotonicMs() - heard.atMs : null;
    const shown = heard !== null && agoMs !== null && agoMs < OLD_MS ? heard.view : null;
    const places = state?.places;
    const at = (column: readonly number[] | undefined, member: MemberId): number =>
      column?.[places?.get(member) ?? UNKNOWN] ?? UNKNOWN;
    const olderDs = Math.round((agoMs ?? 0) / 100);
    return {
      ageDs: members.map((member) => {
        const ageDs = at(shown?.ageDs, member);
        return ageDs === UNKNOWN ? UNKNOWN : ageDs + olderDs;
      }),
      phiTenths: members.map((member) => at(shown?.phiTenths, member)),
      answeredAgoMs: agoMs === null ? null : Math.round(agoMs),
      abstains: shown?.abstains ?? null,
      problem: state?.problem ?? null,
    };
  }
}

const newState = (): PeerState => ({ heard: null, order: '', places: new Map(), problem: null, underWay: false });
