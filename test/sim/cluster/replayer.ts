import { type MemberId, publicKeyOf, X25519_BYTES } from '@understudy/shared';
import type { SeededRandom } from '@understudy/shared/testing';
import type { Asked, EnrolmentWire, SeenDocument } from './enrolment-wire.ts';
import { pick } from './random-streams.ts';
import type { SimulatedCluster } from './simulated-cluster.ts';

const EVERY_MS = 20_000;
/** So many of the documents that agents show are replayed at once: who asks first has the key. */
const AT_ONCE_RATIO = 0.5;

/**
 * Somebody on a member's instance who has read what others were shown, and asks for keys with it:
 * with another's document, at once and later; with that of an instance which is gone, from the
 * address it had; and with its own in the name of another member. Each time with a key pair of its
 * own.
 */
export class Replayer {
  readonly counts = { elsewhere: 0, gone: 0, otherMember: 0 };
  readonly #cluster: SimulatedCluster;
  readonly #wire: EnrolmentWire;
  readonly #random: SeededRandom;

  constructor(cluster: SimulatedCluster, wire: EnrolmentWire) {
    this.#cluster = cluster;
    this.#wire = wire;
    this.#random = cluster.streamOf('replayer');
    wire.onSeen = (document) => {
      const self = this.#random.next() < AT_ONCE_RATIO ? this.#self(document.member) : null;
      if (self !== null) this.#ask('elsewhere', self, document.member, document);
    };
  }

  begin(): void {
    this.#cluster.kernel.setTimer(EVERY_MS, () => {
      this.#try();
      this.begin();
    });
  }

  #try(): void {
    if (this.#wire.seen.length === 0) return;
    const document = pick(this.#random, this.#wire.seen);
    const self = this.#self(document.member);
    if (self === null) return;
    const isThere = this.#cluster.machines.of(document.instanceId) !== undefined;
    if (!isThere) return this.#ask('gone', { ...self, address: document.address }, document.member, document);
    if (this.#random.next() < 0.5) return this.#ask('elsewhere', self, document.member, document);
    this.#ask('otherMember', self, document.member, self);
  }

  #ask(how: keyof Replayer['counts'], from: SeenDocument, member: MemberId, document: SeenDocument): void {
    this.counts[how] += 1;
    const publicKey = publicKeyOf(Buffer.from(this.#random.hex(X25519_BYTES), 'hex'));
    const asked: Asked = { member, document, publicKey };
    void this.#wire.ask(from, asked);
  }

  /** An instance of another member that runs. Null: there is none. */
  #self(other: MemberId): SeenDocument | null {
    const { members, machines } = this.#cluster;
    const member = pick(
      this.#random,
      members.filter((one) => one !== other),
    );
    const machine = [...machines.all].find(({ identity }) => identity.member === member);
    return machine ? this.#wire.documentOf(member, machine.identity.instanceId) : null;
  }
}
