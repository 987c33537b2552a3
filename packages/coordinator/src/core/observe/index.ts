export { HeartbeatBatch } from './heartbeat-batch.ts';
export type { Hearing } from './local-health.ts';
export { decideKeyChange, type KeyChange, type KeySet, someOf } from './key-change.ts';
export type { KeyOf } from './keyring.ts';
export { ObserverTable, type ObserverTableOptions } from './observer-table.ts';
export * from './service-types.ts';
export * from './types.ts';
export type { Unexpected } from './unexpected.ts';
export type { TickReport } from './failure-detector.ts';
