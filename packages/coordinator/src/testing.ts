/** What tests of other packages, and the tools in test/, use beyond the public entry. */
export { EtcdKvStore, type EtcdKvStoreOptions } from './adapters/etcd/etcd-kv-store.ts';
export { type CoordinatorConfig, CoordinatorConfigSchema } from './config.ts';
export { Coordinator } from './coordinator.ts';
export { assess } from './judge/assess.ts';
export type { MemberEvidence } from './judge/evidence.ts';
export type { Asked, Command, CommandAnswer } from './commands/command.ts';
export type { OperatorAnswer, OperatorCommand } from './leader/operator-command.ts';
export { Leadership } from './leadership/leadership.ts';
export { OpinionPublisher } from './observing/opinion-publisher.ts';
export { NoticesJob, UNDELIVERED_MAX } from './leader/jobs/notices.ts';
export { signedHeaders, type SendNotice } from './notices/webhook.ts';
export { webhookSender } from './adapters/node/webhook-sender.ts';
export type { Build } from './store/feature-level.ts';
export { LeaseKeeper } from './store/lease-keeper.ts';
export type { LeaseTiming } from './store/lease-timing.ts';
export { LevelGate } from './store/level-gate.ts';
export { WatchCache } from './store/watch-cache.ts';
export { WatchedStore } from './store/watched-store.ts';
