import type { Log, LogFields } from '@understudy/shared';

export type LogSink = (level: 'info' | 'warn' | 'error', event: string, fields: LogFields) => void;

/** Hands every line but debug to the simulation, which puts its name into the trace. */
export class ForwardedLog implements Log {
  readonly #sink: LogSink;
  readonly #bound: LogFields;

  constructor(sink: LogSink, bound: LogFields = {}) {
    this.#sink = sink;
    this.#bound = bound;
  }

  debug(): void {}
  info(event: string, fields?: LogFields): void {
    this.#sink('info', event, { ...this.#bound, ...fields });
  }
  warn(event: string, fields?: LogFields): void {
    this.#sink('warn', event, { ...this.#bound, ...fields });
  }
  error(event: string, fields?: LogFields): void {
    this.#sink('error', event, { ...this.#bound, ...fields });
  }
  child(fields: LogFields): Log {
    return new ForwardedLog(this.#sink, { ...this.#bound, ...fields });
  }
}
