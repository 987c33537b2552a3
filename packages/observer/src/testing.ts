/** What tests of other packages, and the tools in test/, use beyond the public entry. */
export { HeartbeatBatch } from './core/heartbeat-batch.ts';
export {
  HMAC_TAGS,
  MIDSTATE_WORDS,
  midstateMac,
  midstateTagMatches,
  writeMidstate,
} from './core/tag-verifier/hmac-midstate.ts';
export type { ObserverSettings, ReceiveResult } from './core/types.ts';
export type { HeartbeatSocket } from './udp/open-heartbeat-socket.ts';
