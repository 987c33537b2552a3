import { gzipSync } from 'node:zlib';
import { packTar } from 'modern-tar';
import { type Redact, redactValue } from './redact.ts';

/** The longest one file may be, in bytes. */
const FILE_MAX_BYTES = 2 * 1_048_576;
/** The longest all files together may be, in bytes, before they are compressed. */
const ALL_MAX_BYTES = 24 * 1_048_576;

/** What stands in an archive. */
export interface Entry {
  readonly name: string;
  readonly bytes: number;
  readonly note: string;
}

/** A tar.gz in the making. Whatever goes in goes through {@link Redact} first. */
export class Archive {
  readonly #redact: Redact;
  readonly #folder: string;
  readonly #files: { readonly name: string; readonly body: string }[] = [];
  readonly #entries: Entry[] = [];
  #bytes = 0;

  constructor(folder: string, redact: Redact) {
    this.#folder = folder;
    this.#redact = redact;
  }

  get entries(): readonly Entry[] {
    return this.#entries;
  }

  addJson(name: string, value: unknown): void {
    this.#add(name, `${JSON.stringify(redactValue(value, this.#redact), null, 2)}\n`);
  }

  addText(name: string, text: string): void {
    this.#add(name, this.#redact(text));
  }

  /** Says why something is not in it. */
  leaveOut(name: string, why: string): void {
    this.#entries.push({ name, bytes: 0, note: `left out: ${this.#redact(why)}` });
  }

  #add(name: string, whole: string): void {
    const text = Buffer.from(whole);
    const cut = text.length > FILE_MAX_BYTES;
    const body = cut ? `${text.subarray(0, FILE_MAX_BYTES).toString()}\n[cut: ${text.length} bytes]\n` : whole;
    const bytes = Buffer.byteLength(body);
    if (this.#bytes + bytes > ALL_MAX_BYTES)
      return this.leaveOut(name, `the bundle would be above ${ALL_MAX_BYTES} bytes`);
    this.#bytes += bytes;
    this.#files.push({ name: `${this.#folder}/${name}`, body });
    this.#entries.push({ name, bytes, note: cut ? `cut from ${text.length} bytes` : '' });
  }

  /** @param readme the text of a file that is first in it */
  async close(readme: string, atWallMs: number): Promise<Buffer> {
    const all = [{ name: `${this.#folder}/README.txt`, body: this.#redact(readme) }, ...this.#files];
    const mtime = new Date(atWallMs);
    const tar = await packTar(
      all.map(({ name, body }) => ({ header: { name, size: Buffer.byteLength(body), mtime, mode: 0o600 }, body })),
    );
    return gzipSync(tar);
  }
}
