import type { Readable } from 'node:stream';

/** One file that coordinators hand out. */
export interface Artefact {
  readonly bytes: number;
  /** 64 hex characters, from the list of sums beside it. */
  readonly sha256: string;
  /** @throws a file error, also later, by the stream's `error` event. */
  open(): Readable;
}

/** What is handed out to instances that install an agent. */
export interface ArtefactSource {
  /** Null: no file of that name is in the list of sums, or it is not there. */
  find(name: string): Promise<Artefact | null>;
}

/** Tarballs are 30 MB, and a fleet may install at once. Who comes too many asks again. */
const AT_ONCE_MAX = 8;
/** Nobody keeps the others waiting alone. An instance downloads one file at a time. */
const AT_ONCE_PER_ADDRESS_MAX = 2;

/** Bounds how many downloads run at once, in all and to one address. */
export class DownloadSlots {
  #taken = 0;
  /** By address. Those with none have no entry. */
  readonly #ofAddress = new Map<string, number>();

  /** Downloads under way. */
  get taken(): number {
    return this.#taken;
  }

  /**
   * Null: all are taken, or this address has its part. The function that comes back gives the slot
   * up, once.
   */
  take(address: string): (() => void) | null {
    const own = this.#ofAddress.get(address) ?? 0;
    if (this.#taken >= AT_ONCE_MAX || own >= AT_ONCE_PER_ADDRESS_MAX) return null;
    this.#taken += 1;
    this.#ofAddress.set(address, own + 1);
    let given = false;
    return () => {
      if (given) return;
      given = true;
      this.#taken -= 1;
      this.#giveBack(address);
    };
  }

  #giveBack(address: string): void {
    const left = (this.#ofAddress.get(address) ?? 1) - 1;
    if (left === 0) this.#ofAddress.delete(address);
    else this.#ofAddress.set(address, left);
  }
}
