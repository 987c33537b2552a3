export * from './audit.ts';
export * from './cluster.ts';
export * from './feature-level.ts';
export { parseKeeping, carriedFields } from './keep-unknown.ts';
export * from './leftover.ts';
export * from './operator-request.ts';
export * from './record.ts';
export * from './recovery.ts';
export * from './notice.ts';
