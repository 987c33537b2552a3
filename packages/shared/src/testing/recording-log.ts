import type { Log, LogFields } from '../ports/log.ts';

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly event: string;
  readonly fields: LogFields;
}

/** Keeps what was logged, children included. */
export class RecordingLog implements Log {
  readonly lines: LogLine[];
  readonly #bound: LogFields;

  constructor(lines: LogLine[] = [], bound: LogFields = {}) {
    this.lines = lines;
    this.#bound = bound;
  }

  #add(level: LogLine['level'], event: string, fields: LogFields = {}): void {
    this.lines.push({ level, event, fields: { ...this.#bound, ...fields } });
  }

  /** The lines of one event, oldest first. */
  linesOf(event: string): readonly LogLine[] {
    return this.lines.filter((line) => line.event === event);
  }

  debug(event: string, fields?: LogFields): void {
    this.#add('debug', event, fields);
  }
  info(event: string, fields?: LogFields): void {
    this.#add('info', event, fields);
  }
  warn(event: string, fields?: LogFields): void {
    this.#add('warn', event, fields);
  }
  error(event: string, fields?: LogFields): void {
    this.#add('error', event, fields);
  }
  child(fields: LogFields): Log {
    return new RecordingLog(this.lines, { ...this.#bound, ...fields });
  }

  events(): string[] {
    return this.lines.map((line) => line.event);
  }
}
