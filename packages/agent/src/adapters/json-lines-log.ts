import type { Clock, Log, LogFields } from '@understudy/shared';
import { write } from 'node:fs';

const LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LEVELS)[number];

/** Takes whole lines; never waits. */
export interface LineSink {
  writeLine(line: string): void;
}

/** Masked wherever they appear, as PinoLog does. */
const SECRET_KEYS = new Set(['key', 'password', 'secret', 'token']);

/**
 * The same JSON lines as the coordinator's PinoLog, in a hundredth of its memory: an agent on every instance is worth it (docs/agent.md, Memory).
 * `{"level":"info","time":…,<bindings>,<fields>,"event":"heartbeat.send.failed"}`
 */
export class JsonLinesLog implements Log {
  readonly #parts: { readonly level: LogLevel; readonly clock: Clock; readonly sink: LineSink };
  readonly #bindings: LogFields;

  constructor(
    parts: { readonly level: LogLevel; readonly clock: Clock; readonly sink: LineSink },
    bindings: LogFields = {},
  ) {
    this.#parts = parts;
    this.#bindings = bindings;
  }

  debug(event: string, fields?: LogFields): void {
    this.#write('debug', event, fields);
  }
  info(event: string, fields?: LogFields): void {
    this.#write('info', event, fields);
  }
  warn(event: string, fields?: LogFields): void {
    this.#write('warn', event, fields);
  }
  error(event: string, fields?: LogFields): void {
    this.#write('error', event, fields);
  }
  child(fields: LogFields): Log {
    return new JsonLinesLog(this.#parts, { ...this.#bindings, ...fields });
  }

  #write(level: LogLevel, event: string, fields: LogFields = {}): void {
    const { clock, sink } = this.#parts;
    if (LEVELS.indexOf(level) < LEVELS.indexOf(this.#parts.level)) return;
    const time = new Date(clock.wallMs()).toISOString();
    sink.writeLine(`${JSON.stringify({ level, time, ...this.#bindings, ...fields, event }, printable)}\n`);
  }
}

function printable(key: string, value: unknown): unknown {
  if (SECRET_KEYS.has(key)) return '[masked]';
  return typeof value === 'bigint' ? String(value) : value;
}

const QUEUE_CHARACTERS_MAX = 1_048_576;
/** A reader that does not keep up (EAGAIN) is tried again after this. */
const RETRY_MS = 100;
const FLUSH_LOOK_EVERY_MS = 10;

/**
 * Writes to a file descriptor without ever holding the process up: one write under way, at most 1 MiB waiting, and what does not fit is dropped and
 * counted. A reader that is gone (EPIPE) is no reason to stop beating.
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
      else this.#afterWrite();
    });
  }

  #afterWrite(): void {
    if (this.#dropped > 0) {
      this.#queue = `{"level":"warn","event":"log.dropped","lines":${this.#dropped}}\n${this.#queue}`;
      this.#dropped = 0;
    }
    this.#writeNext();
  }
}
