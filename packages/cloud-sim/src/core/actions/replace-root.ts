import type {
  CreateReplaceRootVolumeTaskRequest,
  CreateReplaceRootVolumeTaskResult,
  DescribeReplaceRootVolumeTasksRequest,
  DescribeReplaceRootVolumeTasksResult,
  ReplaceRootVolumeTask,
} from '@aws-sdk/client-ec2';
import { Ec2Error } from '../ec2-error.ts';
import { applyFilters, type FilterTable, tagList } from '../filters.ts';
import { look, need } from '../lookup.ts';
import type { SimInstance, SimReplaceRootVolumeTask } from '../model.ts';
import { page } from '../pages.ts';
import { tagsFor } from '../tags.ts';
import { type Call, faultOf, type Region } from '../region.ts';
import { checkRate } from '../initialization.ts';
import { requireSource, rootOf } from './root-sources.ts';
import { exchangeRoot, restartGuest } from './root-exchange.ts';

const isOpen = (one: SimReplaceRootVolumeTask): boolean =>
  one.state === 'pending' || one.state === 'in-progress' || one.state === 'failing';

const timeText = (wallMs: number): string => new Date(wallMs).toISOString();

const taskView = (one: SimReplaceRootVolumeTask): ReplaceRootVolumeTask => ({
  ReplaceRootVolumeTaskId: one.id,
  InstanceId: one.instanceId,
  TaskState: one.state,
  StartTime: timeText(one.startedAtWallMs),
  CompleteTime: one.completedAtWallMs === null ? undefined : timeText(one.completedAtWallMs),
  ImageId: one.imageId ?? undefined,
  SnapshotId: one.snapshotId ?? undefined,
  DeleteReplacedRootVolume: one.deleteReplaced,
  Tags: tagList(one.tags),
});

const TASK_FILTERS: FilterTable<SimReplaceRootVolumeTask> = { 'instance-id': (one) => [one.instanceId] };

export function describeReplaceRootVolumeTasks(
  region: Region,
  call: Call,
  input: DescribeReplaceRootVolumeTasksRequest,
): DescribeReplaceRootVolumeTasksResult {
  const ids = input.ReplaceRootVolumeTaskIds;
  const found = look(call, region.replaceRootVolumeTasks, 'replaceRootVolumeTask', ids);
  const matching = applyFilters(found, input.Filters, TASK_FILTERS);
  const limits = { min: 1, max: 50, unpaginated: 50 };
  const { items, nextToken } = page('DescribeReplaceRootVolumeTasks', matching, input, limits, ids);
  return { ReplaceRootVolumeTasks: items.map(taskView), NextToken: nextToken };
}

/** @throws IncorrectInstanceState, IncorrectState while another task has the root */
function requireReplaceable(region: Region, instance: SimInstance): void {
  if (instance.state !== 'running') {
    throw new Ec2Error('IncorrectInstanceState', `The instance '${instance.id}' is ${instance.state}, not running.`);
  }
  const other = region.replaceRootVolumeTasks.all().find((one) => one.instanceId === instance.id && isOpen(one));
  if (other) throw new Ec2Error('IncorrectState', `Task ${other.id} replaces the root of '${instance.id}' already.`);
}

function moveOn(region: Region, task: SimReplaceRootVolumeTask, state: SimReplaceRootVolumeTask['state']): void {
  const completedAtWallMs = isOpen({ ...task, state }) ? null : region.wallMs();
  region.replaceRootVolumeTasks.update(task.id, { state, completedAtWallMs }, region.nowMs);
}

/** The instance does not stop for it: it is rebooted, also when the exchange fails. */
function carryOut(region: Region, call: Call, task: SimReplaceRootVolumeTask): void {
  moveOn(region, task, 'in-progress');
  region.later(call, 'root-volume.replace', () => {
    const detached = faultOf(call, 'replace-root-detached') !== undefined;
    const failed = detached || faultOf(call, 'replace-root-failed') !== undefined;
    const end = failed ? failExchange(region, task, detached) : exchangeRoot(region, task);
    if (end === 'succeeded') return moveOn(region, task, end);
    moveOn(region, task, 'failing');
    region.later(call, 'root-volume.pending', () => moveOn(region, task, end));
  });
}

function failExchange(region: Region, task: SimReplaceRootVolumeTask, detached: boolean) {
  restartGuest(region, task.instanceId, detached);
  return detached ? ('failed-detached' as const) : ('failed' as const);
}

function newTask(region: Region, input: CreateReplaceRootVolumeTaskRequest): SimReplaceRootVolumeTask {
  return {
    id: region.newId('replacevol'),
    instanceId: input.InstanceId ?? '',
    state: 'pending',
    startedAtWallMs: region.wallMs(),
    completedAtWallMs: null,
    imageId: input.ImageId ?? null,
    snapshotId: input.SnapshotId ?? null,
    volumeId: input.VolumeId ?? null,
    deleteReplaced: input.DeleteReplacedRootVolume ?? false,
    tags: tagsFor(input.TagSpecifications, 'replace-root-volume-task'),
  };
}

/**
 * `CreateReplaceRootVolumeTask`, of a running instance, idempotent by token. The answer says that
 * the task was taken on; how it ends, DescribeReplaceRootVolumeTasks says.
 */
export function createReplaceRootVolumeTask(
  region: Region,
  call: Call,
  input: CreateReplaceRootVolumeTaskRequest,
): CreateReplaceRootVolumeTaskResult {
  const { ClientToken: token, DryRun: _dryRun, ...parameters } = input;
  const instance = need(call, region.instances, 'instance', input.InstanceId);
  const scope = `CreateReplaceRootVolumeTask/${instance.az}`;
  const known = token ? region.tokens.recall(scope, token, parameters)?.[0] : undefined;
  const earlier = known === undefined ? undefined : region.replaceRootVolumeTasks.get(known);
  if (earlier) return { ReplaceRootVolumeTask: taskView(earlier) };
  region.requireZone(instance.az);
  requireReplaceable(region, instance);
  checkRate(region, input.VolumeInitializationRate, input.VolumeId === undefined);
  requireSource(region, call, instance, rootOf(region, instance), input);
  const task = region.replaceRootVolumeTasks.put(newTask(region, input), region.nowMs, call.instant);
  if (token) region.tokens.record(scope, token, parameters, [task.id]);
  region.later(call, 'root-volume.pending', () => carryOut(region, call, task));
  return { ReplaceRootVolumeTask: taskView(task) };
}
