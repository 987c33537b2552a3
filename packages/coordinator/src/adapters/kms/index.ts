export * from './kms-endpoint.ts';
export * from './kms-over.ts';
export * from './sdk-kms-transport.ts';
