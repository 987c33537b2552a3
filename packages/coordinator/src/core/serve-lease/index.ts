export { FirstSeen } from './first-seen.ts';
export * from './serve-lease.ts';
export type { ServeLeases } from './serve-leases.ts';
