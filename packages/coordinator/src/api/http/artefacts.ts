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

/** Bounds how many downloads run at once. */
export class DownloadSlots {
  #taken = 0;

  /** Downloads under way. */
  get taken(): number {
    return this.#taken;
  }

  /** Null: all are taken. The function that comes back gives the slot up, once. */
  take(): (() => void) | null {
    if (this.#taken >= AT_ONCE_MAX) return null;
    this.#taken += 1;
    let given = false;
    return () => {
      if (given) return;
      given = true;
      this.#taken -= 1;
    };
  }
}
