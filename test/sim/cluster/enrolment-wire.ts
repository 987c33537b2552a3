import type { EnrolmentAnswer } from '@understudy/coordinator/testing';
import { type MemberId, openKey, publicKeyOf, X25519_BYTES } from '@understudy/shared';
import type { SeededRandom } from '@understudy/shared/testing';
import type { ProcessClock } from '../kernel/process-clock.ts';
import type { CoordinatorHost } from './coordinator-host.ts';
import { between } from './random-streams.ts';
import type { SimulatedCluster } from './simulated-cluster.ts';

/** What one try of an agent came to. */
export type FetchKeyHere = () => Promise<
  | { readonly kind: 'found'; readonly text: string }
  | { readonly kind: 'refused'; readonly name: string; readonly detail: string }
>;

/** Where a request comes from. */
export interface Asker {
  readonly instanceId: string;
  readonly address: string;
}

/** A signed document, as somebody has read it on its instance. */
export interface SeenDocument extends Asker {
  readonly member: MemberId;
  readonly text: string;
}

export interface Asked {
  readonly member: MemberId;
  readonly document: SeenDocument;
  readonly publicKey: string;
}

/** One way, ms. */
const WAY_MS = [2, 20] as const;
/** As `key-sources/enrolled-key.ts` waits for a coordinator. */
const LIMIT_MS = 15_000;
const LOST_RATIO = 0.2;
/** While machines come up: later it would be a fault that nobody has on the list. */
const KILLS_UNTIL_MS = 120_000;
const KILLED_FOR_MS = 6_000;
const KILLS_MAX = 1;
const SEEN_MAX = 100;

/**
 * HTTPS between agents and coordinators, as enrolment uses it: requests and answers get lost, and
 * the first leader that gives a key may be killed before its answer leaves. Every key that was
 * given is told, whether or not the answer arrives.
 */
export class EnrolmentWire {
  readonly counts = { given: 0, repeated: 0, refused: 0, requestsLost: 0, answersLost: 0, leadersKilled: 0 };
  /** Documents that were asked for, the newest last: whoever is on an instance can read its own. */
  readonly seen: SeenDocument[] = [];
  /** Whoever looks over the shoulder of an agent that asks. */
  onSeen: (document: SeenDocument) => void = () => undefined;
  readonly #cluster: SimulatedCluster;
  readonly #random: SeededRandom;
  readonly #secrets = new Map<string, Uint8Array>();

  constructor(cluster: SimulatedCluster) {
    this.#cluster = cluster;
    this.#random = cluster.streamOf('enrolment');
  }

  /** The asking part of the agent on this instance; the process of `clock` gets the answer. */
  fetchFor(member: MemberId, instanceId: string, clock: ProcessClock): FetchKeyHere {
    return async () => {
      const document = this.documentOf(member, instanceId);
      if (document === null) return { kind: 'refused', name: 'MetadataSilent', detail: 'the instance is gone' };
      this.seen.push(document);
      if (this.seen.length > SEEN_MAX) this.seen.shift();
      this.onSeen(document);
      const secret = this.#secretOf(instanceId);
      const answer = await clock.arrival(this.ask(document, { member, document, publicKey: publicKeyOf(secret) }));
      if (answer?.kind === 'given') return { kind: 'found', text: openKey(answer.key, secret, { member, instanceId }) };
      const name = answer?.kind === 'refused' ? answer.reason : 'NoAnswer';
      return { kind: 'refused', name, detail: answer?.kind ?? 'no leader answered' };
    };
  }

  /** What AWS has signed about a running instance. Null: there is none. */
  documentOf(member: MemberId, instanceId: string): SeenDocument | null {
    const { instances, networkInterfaces } = this.#cluster.cloud.core.region;
    const instance = instances.get(instanceId);
    const address = networkInterfaces.get(instance?.networkInterfaceIds[0] ?? '')?.privateIp;
    if (!instance || address === undefined) return null;
    const pendingTime = `${new Date(instance.launchedAtWallMs).toISOString().slice(0, 19)}Z`;
    const says = { accountId: '123456789012', instanceId, privateIp: address, pendingTime };
    const text = this.#cluster.cloud.identity.rsa2048(JSON.stringify({ ...says, region: this.#cluster.cloud.region }));
    return { member, instanceId, address, text };
  }

  /** On the disk of its instance, made before it is first used. */
  #secretOf(instanceId: string): Uint8Array {
    const kept = this.#secrets.get(instanceId) ?? Buffer.from(this.#random.hex(X25519_BYTES), 'hex');
    this.#secrets.set(instanceId, kept);
    return kept;
  }

  /** All coordinators at once. Null: no key, and nobody has said why. */
  async ask(from: Asker, asked: Asked): Promise<EnrolmentAnswer | null> {
    const { promise, resolve } = Promise.withResolvers<EnrolmentAnswer | null>();
    let refusal: EnrolmentAnswer | null = null;
    const limit = this.#cluster.kernel.setTimer(LIMIT_MS, () => resolve(refusal));
    let open = this.#cluster.hosts.length;
    for (const host of this.#cluster.hosts)
      this.#askOne(host, from, asked, (answer) => {
        open -= 1;
        if (answer?.kind === 'given') resolve(answer);
        if (answer?.kind === 'refused') refusal = answer;
        if (open === 0) resolve(refusal);
      });
    const answer = await promise;
    limit.cancel();
    return answer;
  }

  /** `arrive` is not called where anything of it is lost. */
  #askOne(host: CoordinatorHost, from: Asker, asked: Asked, arrive: (answer: EnrolmentAnswer | null) => void): void {
    this.#way(() => {
      const { life } = host;
      if (life === null) return arrive(null);
      if (this.#loses('requestsLost')) return;
      life.clock.post(() => {
        // Followers say at once that they do not lead.
        if (!host.leads) return this.#way(() => arrive(null));
        const { member, document, publicKey } = asked;
        const request = { member, document: document.text, publicKey, address: from.address, requestId: 'r' };
        void life.coordinator.api.enrolKey(request).then(
          (answer) => this.#answered(host, from, asked, answer, arrive),
          (error: unknown) => this.#cluster.kernel.fail(error),
        );
      });
    });
  }

  #answered(
    host: CoordinatorHost,
    from: Asker,
    asked: Asked,
    answer: EnrolmentAnswer,
    arrive: (answer: EnrolmentAnswer) => void,
  ): void {
    if (answer.kind === 'refused') this.counts.refused += 1;
    if (answer.kind === 'given') {
      this.counts[answer.repeated ? 'repeated' : 'given'] += 1;
      const { member, document, publicKey } = asked;
      const told = { member, instanceId: document.instanceId, publicKey, holder: from.instanceId };
      this.#cluster.tell({ kind: 'key-given', ...told, repeated: answer.repeated });
      if (this.#kills(host)) return;
    }
    if (!this.#loses('answersLost')) this.#way(() => arrive(answer));
  }

  #way(then: () => void): void {
    this.#cluster.kernel.setTimer(between(this.#random, ...WAY_MS), then);
  }

  #loses(what: 'requestsLost' | 'answersLost'): boolean {
    const lost = this.#random.next() < LOST_RATIO;
    if (lost) this.counts[what] += 1;
    return lost;
  }

  /** The key is written down by now, and nobody has heard of it. */
  #kills(host: CoordinatorHost): boolean {
    const { kernel } = this.#cluster;
    if (this.counts.leadersKilled >= KILLS_MAX || kernel.monotonicMs() > KILLS_UNTIL_MS) return false;
    this.counts.leadersKilled += 1;
    host.crash();
    kernel.setTimer(KILLED_FOR_MS, () => void host.start());
    return true;
  }
}
