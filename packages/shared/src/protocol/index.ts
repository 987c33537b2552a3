export * from './check-codes.ts';
export * from './frame.ts';
export * from './hmac-midstate.ts';
export * from './identity.ts';
export * from './tag-scheme.ts';
