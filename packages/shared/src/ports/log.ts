export type LogFields = Readonly<Record<string, unknown>>;

/**
 * One event name per line of meaning (`recovery.step.done`), with facts as fields. Every line of a
 * recovery carries `opId`, `member` and `term` through {@link Log.child}.
 */
export interface Log {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
  child(fields: LogFields): Log;
}

export const silentLog: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLog,
};
