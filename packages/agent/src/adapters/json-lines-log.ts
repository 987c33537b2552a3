import type { Clock, Log, LogFields } from '@understudy/shared';
import type { LineSink } from '@understudy/shared/node';

const LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LEVELS)[number];

/** Values under these keys are masked wherever they appear, as PinoLog does. */
const SECRET_KEYS = new Set(['key', 'password', 'secret', 'token']);

/**
 * Writes the JSON lines of the coordinator's PinoLog in a hundredth of its memory, which an agent
 * on every instance is worth (docs/agent.md, Memory).
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
