import { open } from 'node:fs/promises';
import type { Clock, MonotonicMs } from '@understudy/shared';

/** A file that was changed is seen after this long. */
const KEPT_MS = 60_000;
const BYTES_MAX = 1_048_576;
const FILES_MAX = 64;

interface Kept {
  readonly readAtMs: MonotonicMs;
  readonly pem: Promise<string>;
}

/** PEM files with authorities to trust, read when a probe wants one and kept for a minute. */
export class Authorities {
  readonly #clock: Clock;
  readonly #kept = new Map<string, Kept>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Rejects when the file cannot be read within `timeoutMs`, or is larger than 1 MiB. */
  async read(path: string, timeoutMs: number): Promise<string> {
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = this.#clock.setTimer(timeoutMs, () =>
      reject(new Error(`${path} was not read within ${timeoutMs} ms`)),
    );
    return Promise.race([this.#keep(path), late]).finally(() => timer.cancel());
  }

  #keep(path: string): Promise<string> {
    const readAtMs = this.#clock.monotonicMs();
    const known = this.#kept.get(path);
    if (known && readAtMs - known.readAtMs < KEPT_MS) return known.pem;
    if (this.#kept.size >= FILES_MAX) this.#kept.clear();
    const pem = readBounded(path);
    this.#kept.set(path, { readAtMs, pem });
    return pem;
  }
}

async function readBounded(path: string): Promise<string> {
  const file = await open(path, 'r');
  try {
    const buffer = Buffer.alloc(BYTES_MAX + 1);
    const { bytesRead } = await file.read(buffer, 0, buffer.length, 0);
    if (bytesRead > BYTES_MAX) throw new RangeError(`${path} is larger than ${BYTES_MAX} bytes`);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await file.close();
  }
}
