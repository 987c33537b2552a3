import { durationText, type Clock } from '@understudy/shared';
import type { Caller } from '../access/caller.ts';
import type { ClusterKeys } from '../cluster-keys.ts';
import { Refusal } from '../refusal.ts';
import { type Carried, envelopeOf, isSignedByPeer } from './peer-signature.ts';

/** How far the clocks of two coordinators may be apart, and how old a request may be. In ms. */
export const PEER_WINDOW_MS = 30_000;
/** Requests of peers within the window. More are refused: then somebody asks far too often. */
const REMEMBERED_MAX = 20_000;

export interface PeerGateOptions {
  readonly coordinatorId: string;
  readonly keys: ClusterKeys;
  readonly clock: Clock;
}

export interface AdmittedPeer {
  /** The original caller, for whom the peer vouches. */
  readonly caller: Caller;
  /** From which the original caller asked, as the peer saw it. */
  readonly address: string;
  readonly requestId: string;
  /** What the body has to hash to. */
  readonly bodySha256: string;
}

/**
 * Lets in what another coordinator passes on: signed with a key that only coordinators have, meant
 * for us, of now, and never seen before. Nothing from before our own start is taken, because what
 * was seen then is forgotten.
 */
export class PeerGate {
  readonly #options: PeerGateOptions;
  readonly #startedAtWallMs: number;
  /** Request → when it may be forgotten, in the order they came. */
  readonly #seen = new Map<string, number>();

  constructor(options: PeerGateOptions) {
    this.#options = options;
    this.#startedAtWallMs = options.clock.wallMs();
  }

  /** @throws Refusal PEER_REFUSED */
  admit(header: string, signature: string, carried: Carried): AdmittedPeer {
    const { coordinatorId, keys, clock } = this.#options;
    if (!isSignedByPeer(keys, header, signature, carried))
      throw refused('the signature is by none of the master secrets that this coordinator has');
    const envelope = envelopeOf(header);
    if (envelope === null) throw refused('it is of another version');
    const { from, to, atWallMs, requestId, bodySha256, caller, address } = envelope;
    if (to !== coordinatorId) throw refused(`it was meant for ${to}, and this is ${coordinatorId}`);
    const agoMs = clock.wallMs() - atWallMs;
    if (!(Math.abs(agoMs) <= PEER_WINDOW_MS))
      throw refused(`the clocks of ${from} and ${coordinatorId} are ${durationText(agoMs)} apart`);
    if (atWallMs < this.#startedAtWallMs) throw refused('it was sent before this coordinator started');
    this.#remember(`${from} ${requestId}`);
    return { caller: { ...caller, passedOnBy: from }, address, requestId, bodySha256 };
  }

  /** @throws Refusal PEER_REFUSED: it was seen before, or there is no room to remember it. */
  #remember(request: string): void {
    const nowMs = this.#options.clock.monotonicMs();
    for (const [one, untilMs] of this.#seen) {
      if (untilMs > nowMs) break;
      this.#seen.delete(one);
    }
    if (this.#seen.has(request)) throw refused('it was received before');
    if (this.#seen.size >= REMEMBERED_MAX) throw refused('too many were received within half a minute');
    // A request whose sender's clock is ahead stays acceptable for twice the window.
    this.#seen.set(request, nowMs + 2 * PEER_WINDOW_MS);
  }
}

const refused = (why: string): Refusal =>
  new Refusal('PEER_REFUSED', `a coordinator passed on a request that is not taken: ${why}`);
