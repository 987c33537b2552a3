import { isSnapshotAndReplace, TAG } from '@understudy/shared';
import { buildImageRequest } from '../core/launch-request.ts';
import { type CallsOf, later, laterCall, NO_MARK, plannedCall } from '../planned-call.ts';

/** What the snapshot of a volume stands for, until it is made. */
export const laterSnapshot = (volumeId: string): string => later(`snapshot of ${volumeId}`);

/** What `capture` makes. */
export const captureCalls: CallsOf = ({ intent: { opId, member, oldInstanceId, plan } }) => {
  const tags = { ...plan.policy.recover.tags, [TAG.op]: opId, 'understudy:source': oldInstanceId };
  const request = { instanceId: oldInstanceId, description: `understudy ${member} ${opId}`, tags };
  const numbered = { ...request, tags: { ...tags, [TAG.snapshotSet]: '1' } };
  return [plannedCall('snapshots', (cloud, options) => cloud.createSnapshots(numbered, options))];
};

/** What `image` makes. */
export const imageCalls: CallsOf = ({ intent, standIns }) => {
  const { plan } = intent;
  const root = plan.volumes.find((volume) => volume.isRoot);
  if (!isSnapshotAndReplace(plan) || !root) return [];
  const request = buildImageRequest({ intent: { ...intent, plan }, rootSnapshotId: laterSnapshot(root.volumeId) });
  const call = laterCall(
    'register',
    (cloud, options) => cloud.registerImage(request, options),
    'it names the root snapshot, which the recovery makes, and there is no earlier one that says whose it is',
  );
  const snapshot = standIns?.snapshot ?? null;
  if (snapshot === null) return [call];
  const { snapshotId, isOurs } = snapshot;
  const other = buildImageRequest({ intent: { ...intent, plan }, rootSnapshotId: snapshotId });
  const text = `tried with the earlier snapshot ${snapshotId}`;
  const lacks = isOurs ? {} : { lacks: NO_MARK };
  return [
    { ...call, trial: { kind: 'with', text, ...lacks, send: (cloud, options) => cloud.registerImage(other, options) } },
  ];
};
