export * from './adapters/ec2/index.ts';
export * from './adapters/etcd/index.ts';
export * from './adapters/kms/index.ts';
export type * from './core/observe/activation-source.ts';
export type * from './leader/operator-command.ts';
export type * from './leadership/leadership-view.ts';
export type * from './recovery/runner.ts';
export * from './leadership/index.ts';
export * from './core/recovery/launch-request.ts';
export * from './core/recovery/planned-volumes.ts';
export * from './core/recovery/volume-tags.ts';
export * from './core/recovery/placement.ts';
export * from './core/recovery/finding.ts';
export * from './core/recovery/plan-input.ts';
export * from './core/recovery/plan.ts';
export * from './core/recovery/journal-facts.ts';
export * from './core/recovery/step-id.ts';
export * from './core/recovery/step-table.ts';
export * from './recovery/gather-plan-input.ts';
export * from './recovery/key-looks.ts';
export * from './leadership/leader-term.ts';
export * from './recovery/collector.ts';
export * from './recovery/engine.ts';
export * from './recovery/settings.ts';
export * from './config.ts';
export { Coordinator } from './coordinator.ts';
export type { CoordinatorOptions } from './coordinator-options.ts';
export {
  COORDINATOR_EXIT,
  coordinatorExitCode,
  openStore,
  type RunCoordinatorOptions,
  runCoordinator,
} from './main.ts';
export * from './adapters/probe/index.ts';
export * from './adapters/udp/index.ts';
export { ServiceProber } from './observing/service-prober.ts';
export * from './core/judge/index.ts';
export * from './core/observe/index.ts';
export { OpinionPublisher, type OpinionPublisherOptions } from './observing/opinion-publisher.ts';
