export * from './cluster-snapshot.ts';
export * from './configuration.ts';
export * from './leftovers.ts';
export * from './local-cluster.ts';
export * from './local-member.ts';
export * from './process-group.ts';
export * from './sim-admin.ts';
