import pino, { type Logger } from 'pino';
import type { Log, LogFields } from '../ports/log.ts';
import { harmlessJson } from '../harmless-text.ts';
import { tolerateLostErrors } from './end-with-output.ts';
import { FileDescriptorSink } from './file-descriptor-sink.ts';
import { SystemClock } from './system-clock.ts';

/**
 * pino JSON lines: `{"level":"info","time":…,"event":"recovery.step.done",…}`. Values under
 * secret-looking keys are masked.
 */
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
    return new PinoLog(pino(settings, options.destination ?? standardOutput()));
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

/**
 * Standard output that drops and counts. pino's own destination waits for a slow reader, holding up
 * the process (a leader's keepalives with it), and ends it with a stack trace when the disk is
 * full.
 */
function standardOutput(): pino.DestinationStream {
  const sink = new FileDescriptorSink(1, new SystemClock());
  tolerateLostErrors();
  process.on('exit', () => sink.flushNow());
  // A line may be read on a terminal, and JSON leaves eight-bit controls and direction characters
  // as they are.
  return { write: (line) => sink.writeLine(harmlessJson(line)) };
}
