export { HeartbeatBatch } from './heartbeat-batch.ts';
export type { Hearing } from './local-health.ts';
export { decideKeyChange, type KeyChange, type KeySet, someOf } from './key-change.ts';
export { ObserverTable, type ObserverTableOptions } from './observer-table.ts';
export * from './service-types.ts';
export * from './types.ts';
export type { Unexpected } from './unexpected.ts';
export type { TickReport } from './failure-detector.ts';
export {
  HMAC_TAGS,
  MIDSTATE_WORDS,
  midstateMac,
  midstateTagMatches,
  type TagScheme,
  writeMidstate,
} from './tag-verifier/hmac-midstate.ts';
export type { KeyOf } from './tag-verifier/keyring.ts';
export { FourAtOnce, OneByOne, type TagVerifier } from './tag-verifier/tag-verifier.ts';
