import pino, { type Logger } from 'pino';
import type { Log, LogFields } from '../ports/index.ts';

/** pino JSON lines: `{"level":"info","time":…,"event":"recovery.step.done",…}`. Values under secret-looking keys are masked. */
export class PinoLog implements Log {
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  static create(options: {
    readonly level: string;
    readonly bindings?: LogFields;
    readonly destination?: pino.DestinationStream;
  }): PinoLog {
    const settings: pino.LoggerOptions = {
      level: options.level,
      base: options.bindings ?? null,
      timestamp: pino.stdTimeFunctions.isoTime,
      messageKey: 'event',
      formatters: { level: (label) => ({ level: label }) },
      redact: {
        paths: ['*.password', '*.secret', '*.token', '*.key', 'password', 'secret', 'token'],
        censor: '[masked]',
      },
    };
    return new PinoLog(options.destination ? pino(settings, options.destination) : pino(settings));
  }

  debug(event: string, fields: LogFields = {}): void {
    this.#logger.debug(fields, event);
  }
  info(event: string, fields: LogFields = {}): void {
    this.#logger.info(fields, event);
  }
  warn(event: string, fields: LogFields = {}): void {
    this.#logger.warn(fields, event);
  }
  error(event: string, fields: LogFields = {}): void {
    this.#logger.error(fields, event);
  }
  child(fields: LogFields): Log {
    return new PinoLog(this.#logger.child(fields));
  }
}
