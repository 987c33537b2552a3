import { durationText, invariant, isSnapshotAndReplace, type OperationError } from '@understudy/shared';
import { buildImageRequest } from '../core/launch-request.ts';
import { refusalClassOf } from '../core/refusals.ts';
import type { Move, Step } from '../effect.ts';
import { refusedForKey } from './locked-volumes.ts';
import type { LeftoverKind } from '../leftover-kind.ts';
import type { Run } from '../run.ts';
import { pathOf } from '../volumes/volume-paths.ts';
import { imageCalls } from './capture-calls.ts';
import { IMAGE } from './capture-records.ts';
import { stepKind } from '../step-kind.ts';

/**
 * One image of the root snapshot, under a name that is a function of the recovery: a repeat is
 * refused as a duplicate, and adopted.
 */
export function imageStep(run: Run): Step<typeof IMAGE> {
  /** EC2 has told this run that the name is taken, by us or by an earlier call. */
  const memory = { exists: false };
  return {
    limitMs: run.policy.recover.launchTimeoutMs,
    prepare: async () => {
      const { plan } = run;
      invariant(isSnapshotAndReplace(plan), `a plan of ${plan.strategy} has no image`);
      const request = buildImageRequest({ intent: { ...run.record, plan }, rootSnapshotId: rootSnapshotOf(run) });
      return { ...request, tags: { ...request.tags } };
    },
    next: async (frozen, last) => {
      const register: Move<typeof IMAGE> = {
        kind: 'act',
        text: 'registering an image of the root snapshot',
        calls: [
          {
            name: 'register',
            run: async (cloud, options) => {
              await cloud.registerImage(frozen.request, options);
            },
          },
        ],
      };
      if (frozen.sends.register === undefined) return register;
      const images = await run.read((cloud, options) => cloud.describeImages({ name: [frozen.request.name] }, options));
      const image = images.find((one) => one.name === frozen.request.name);
      if (image) return judge(image, frozen.request.rootSnapshotId);
      if (last?.error && refusalClassOf(last.error) === 'key')
        return refusedForKey(run, `EC2 refuses the image: ${last.error.message}`);
      if (last?.error && isHopeless(last.error)) {
        return { kind: 'hold', reason: 'CloudRejected', text: `EC2 refuses the image: ${last.error.message}` };
      }
      // A name can exist once, so asking again is harmless; but after a yes (or `Duplicate`) it
      // only needs time to show.
      if (last) memory.exists = last.error === null || isDuplicate(last.error.upstreamCode);
      return memory.exists ? { kind: 'wait', text: 'waiting for the image to show' } : register;
    },
    onTimeout: () => ({
      kind: 'hold',
      reason: 'CloudUnavailable',
      text: `no usable image within ${durationText(run.policy.recover.launchTimeoutMs)}`,
    }),
  };
}

const isDuplicate = (upstreamCode: string | undefined): boolean => upstreamCode === 'InvalidAMIName.Duplicate';

/**
 * Nothing of the request depends on a placement: what condemns a candidate elsewhere condemns the
 * request here.
 */
const isHopeless = (error: OperationError): boolean =>
  ['hopeless', 'candidate'].includes(refusalClassOf(error)) && !isDuplicate(error.upstreamCode);

function judge(
  image: { readonly imageId: string; readonly state: string; readonly rootSnapshotId: string | null },
  rootSnapshotId: string,
): Move<typeof IMAGE> {
  if (image.rootSnapshotId !== null && image.rootSnapshotId !== rootSnapshotId) {
    const text = `image ${image.imageId} has our name but was made from ${image.rootSnapshotId}, not from ${rootSnapshotId}`;
    return { kind: 'hold', reason: 'CloudRejected', text };
  }
  if (image.state === 'available') return { kind: 'done', result: { imageId: image.imageId } };
  if (image.state === 'pending') return { kind: 'wait', text: `image ${image.imageId} is pending` };
  return { kind: 'hold', reason: 'CloudRejected', text: `image ${image.imageId} is ${image.state}` };
}

/** What the root disk is made of. */
function rootSnapshotOf(run: Run): string {
  const root = run.plan.volumes.find((volume) => volume.isRoot);
  const source = root && pathOf(root, run.seams)?.sourceOf(run, root);
  invariant(source?.kind === 'snapshot', `no snapshot of the root volume ${root?.volumeId} is recorded`);
  return source.snapshotId;
}

export const imageLeftover: LeftoverKind = {
  kind: 'image',
  order: 2,
  text: () => 'image the replacement was launched from',
  leftAs: (ids) => `image ${ids.join(', ')}, kept for a while`,
  remove: (cloud, id, options) => cloud.deregisterImage(id, options),
};

export const imageKind = stepKind(IMAGE, imageStep, imageCalls);
