export { FirstSeen } from './first-seen.ts';
export * from './serve-lease.ts';
