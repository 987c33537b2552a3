export * from './coordinator-client.ts';
export * from './end-with-output.ts';
export * from './file-descriptor-sink.ts';
export * from './load-config.ts';
export * from './pino-log.ts';
export * from './system-clock.ts';
export * from './system-random.ts';
export * from './until.ts';
