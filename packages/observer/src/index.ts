/** Hears heartbeats and looks at services: what one coordinator thinks of each member. */
export type { ActivationAnswer, ActivationSource } from './core/activation-source.ts';
export { BEATS_PER_SUSPICION } from './core/cadence.ts';
export { hearsTooFew } from './core/local-health.ts';
export { ObserverTable } from './core/observer-table.ts';
export type { ServiceOpinion } from './core/service-types.ts';
export type { TagScheme } from './core/tag-verifier/hmac-midstate.ts';
export { DEFAULT_OBSERVER_SETTINGS, type Opinion, type WatchedMember } from './core/types.ts';
export type { Unexpected } from './core/unexpected.ts';
export { keyOfMasters, KeyRotation, type KeySource, type OfferedKeys } from './keys/key-rotation.ts';
export { ServiceProber } from './probe/service-prober.ts';
export { serviceProbes } from './probe/service-probes.ts';
export { HeartbeatListener, type ListenerStats, type Receiver } from './udp/heartbeat-listener.ts';
export { readKernelDrops } from './udp/kernel-drops.ts';
export { openHeartbeatSocket } from './udp/open-heartbeat-socket.ts';
