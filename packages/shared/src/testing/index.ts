export * from './recording-log.ts';
export * from './seeded-random.ts';
export * from './sim-clock.ts';
