export * from './bucketed-transport.ts';
export * from './create-ec2-cloud.ts';
export * from './ec2-cloud.ts';
export * from './iam-policy.ts';
export * from './map-error.ts';
export * from './sdk-transport.ts';
export * from './timed-transport.ts';
export * from './transport.ts';
