import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';

type Purpose = 'peer' | 'session';

const KEY_BYTES = 32;

const derived = (master: Uint8Array, purpose: Purpose): Buffer =>
  Buffer.from(hkdfSync('sha256', master, new Uint8Array(0), `understudy/${purpose}`, KEY_BYTES));

/** Key id → derived key. */
type KeyRing = ReadonlyMap<number, Buffer>;

/**
 * What only coordinators can sign: keys derived by HKDF-SHA-256 from the master secrets they share,
 * one per purpose. No agent has them: what an agent holds is derived under another name, and leads
 * back to nothing. While master secrets are rotated there are two: all is signed with both, and one
 * good signature is enough, so that coordinators understand each other before each has the new one.
 */
export class ClusterKeys {
  #rings: Readonly<Record<Purpose, KeyRing>>;

  constructor(masters: ReadonlyMap<number, Uint8Array>) {
    this.#rings = ringsOf(masters);
  }

  /** Takes over a changed set of master secrets. What was signed with one that is gone is void. */
  take(masters: ReadonlyMap<number, Uint8Array>): void {
    this.#rings = ringsOf(masters);
  }

  /** `<key id>.<HMAC-SHA-256, base64url>`, one per key, separated by colons. */
  sign(purpose: Purpose, text: string): string {
    return [...this.#rings[purpose]].map(([id, key]) => `${id}.${macOf(key, text).toString('base64url')}`).join(':');
  }

  /** True when one of the signatures is by a key we have. */
  verify(purpose: Purpose, text: string, signatures: string): boolean {
    return signatures
      .split(':')
      .slice(0, 2)
      .some((signature) => {
        const [id = '', mac = ''] = signature.split('.');
        const key = this.#rings[purpose].get(Number(id));
        const shown = Buffer.from(mac, 'base64url');
        return key !== undefined && shown.length === KEY_BYTES && timingSafeEqual(shown, macOf(key, text));
      });
  }
}

const macOf = (key: Buffer, text: string): Buffer => createHmac('sha256', key).update(text, 'utf8').digest();

const ringsOf = (masters: ReadonlyMap<number, Uint8Array>): Readonly<Record<Purpose, KeyRing>> => {
  const ring = (purpose: Purpose): KeyRing =>
    new Map([...masters].map(([id, master]) => [id, derived(master, purpose)]));
  return { peer: ring('peer'), session: ring('session') };
};
