export * from './check-codes.ts';
export * from './frame.ts';
export * from './identity.ts';
