export * from './clock.ts';
export * from './cloud.ts';
export * from './datagram-socket.ts';
export * from './kms.ts';
export * from './kv-store.ts';
export * from './log.ts';
export * from './random.ts';
