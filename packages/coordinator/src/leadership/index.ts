export * from './etcd-version.ts';
export * from './leader-term.ts';
export * from './leadership.ts';
export * from './lease-keeper.ts';
export * from './lease-timing.ts';
export * from './prefix-view.ts';
export * from './record-writer.ts';
export * from './session.ts';
