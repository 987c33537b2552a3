export { CloudSim, type CloudSimOptions, type SimCallOptions, type SimReply } from './cloud-sim.ts';
export { ACTION_NAMES, type ActionName } from './core/actions/index.ts';
export { type AccessContext, type AccessRequest, type Authorize } from './core/authorization/access-request.ts';
export { type EvaluatedPolicy, policyEvaluator } from './core/authorization/policy-evaluator.ts';
export { type CallError, type CallMoment, type CallResult, CloudSimCore } from './core/cloud-sim-core.ts';
export type { DefaultResources } from './core/default-resources.ts';
export { Ec2Error } from './core/ec2-error.ts';
export {
  type CallEvent,
  EventLog,
  type Launch,
  type ResourceKind,
  type SimEvent,
  type Stay,
  type TransitionEvent,
} from './core/event-log.ts';
export { ScriptRun, type StepState } from './script/script-run.ts';
export { type Script, ScriptSchema, type WrittenScript } from './script/script-schema.ts';
export type { Fault, FaultKind, FaultState } from './core/faults.ts';
export { LATENCY, type LatencyName, type LatencyOverrides, type Range } from './core/latency.ts';
export type { HostFailure, SimInstanceEvent, StatusCheck } from './core/model.ts';
export { DEFAULT_QUOTAS, type Quotas } from './core/region.ts';
export { type NewKey, type SimKeyAccess, type SimKeyState, type SimKmsKey } from './core/kms/keys.ts';
export { inProcessKms } from './in-process-kms.ts';
export { inProcessService } from './in-process-service.ts';
export { inProcessTransport } from './in-process-transport.ts';
export { type SeededInstance, type SeedInstance, seedInstance } from './seed-instance.ts';
export type { UnrulyBus } from './core/event-bus/event-bus.ts';
export type { SimQueue, Unruly } from './core/sqs/queue.ts';
export { type Ec2Transport, SimNoReplyError, SimServiceException } from './transport.ts';
export { type CloudSimServerParts, type RunningCloudSim, startCloudSim } from './cloud-sim-server.ts';
export { type CloudSimConfig, CloudSimConfigSchema } from './config.ts';
export { groupFolders, removeGroup } from './machines/nspawn-driver.ts';
export { descendantsOf, letGo, stopAllBelow } from './machines/process-tree.ts';
