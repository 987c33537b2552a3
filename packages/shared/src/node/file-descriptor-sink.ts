import { write, writeSync } from 'node:fs';
import type { Clock } from '../ports/clock.ts';

/** Takes whole lines, and never waits. */
export interface LineSink {
  writeLine(line: string): void;
}

const QUEUE_CHARACTERS_MAX = 1_048_576;
/** A reader that does not keep up (EAGAIN) is tried again after this time. */
const RETRY_MS = 100;
const FLUSH_LOOK_EVERY_MS = 10;

/**
 * Writes to a file descriptor without ever holding the process up: one write is under way, and at
 * most 1 MiB waits. What does not fit, or cannot be written (EPIPE: the reader is gone; ENOSPC: the
 * disk is full), is dropped and counted. The count is told as soon as a write works again. A log
 * that nobody reads is no reason to end.
 */
export class FileDescriptorSink implements LineSink {
  readonly #fd: number;
  readonly #clock: Clock;
  #queue = '';
  #dropped = 0;
  #busy = false;

  constructor(fd: number, clock: Clock) {
    this.#fd = fd;
    this.#clock = clock;
  }

  writeLine(line: string): void {
    if (this.#queue.length + line.length > QUEUE_CHARACTERS_MAX) {
      this.#dropped++;
      return;
    }
    this.#queue += line;
    if (!this.#busy) this.#writeNext();
  }

  /** Waits until everything is written, at most `limitMs`. */
  async flush(limitMs: number): Promise<void> {
    const untilMs = this.#clock.monotonicMs() + limitMs;
    while (this.#busy && this.#clock.monotonicMs() < untilMs) await this.#clock.sleep(FLUSH_LOOK_EVERY_MS);
  }

  /** Called at the end of the process. Writes what waits, if that can be done without waiting. */
  flushNow(): void {
    try {
      if (this.#queue !== '') writeSync(this.#fd, this.#queue);
    } catch {
      // No reader is left who could be told.
    }
    this.#queue = '';
  }

  #writeNext(): void {
    if (this.#queue === '') {
      this.#busy = false;
      return;
    }
    this.#busy = true;
    const bytes = Buffer.from(this.#queue);
    this.#queue = '';
    this.#writeBytes(bytes);
  }

  #writeBytes(bytes: Buffer): void {
    write(this.#fd, bytes, 0, bytes.length, null, (error, written) => {
      if (error?.code === 'EAGAIN') this.#clock.setTimer(RETRY_MS, () => this.#writeBytes(bytes));
      else if (!error && written < bytes.length) this.#writeBytes(bytes.subarray(written));
      else this.#afterWrite(error ? linesIn(bytes) : 0);
    });
  }

  #afterWrite(lostLines: number): void {
    this.#dropped += lostLines;
    if (this.#dropped > 0 && lostLines === 0) {
      this.#queue = `{"level":"warn","event":"log.dropped","lines":${this.#dropped}}\n${this.#queue}`;
      this.#dropped = 0;
    }
    this.#writeNext();
  }
}

function linesIn(bytes: Buffer): number {
  let lines = 0;
  for (const byte of bytes) if (byte === 10) lines++;
  return lines;
}
