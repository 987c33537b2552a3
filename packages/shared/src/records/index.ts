export * from './cluster.ts';
export * from './leftover.ts';
export * from './operator-request.ts';
export * from './record.ts';
export * from './recovery.ts';
