export * from './load-config.ts';
export * from './pino-log.ts';
export * from './system-clock.ts';
export * from './system-random.ts';
