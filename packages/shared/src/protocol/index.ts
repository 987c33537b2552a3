export * from './check-codes.ts';
export * from './frame.ts';
export * from './identity.ts';
export * from './sealed-key.ts';
