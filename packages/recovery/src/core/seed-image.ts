import { type CloudImage, type CloudInstance, type SeedImage, TAG, textOf } from '@understudy/shared';
import type { Finding } from './finding.ts';
import type { PlanInput } from './plan-input.ts';

type Input = Pick<PlanInput, 'image' | 'instance'>;

const refused = (code: string, text: string): Finding => ({
  code,
  text: `${text}: its disks cannot be put on a new instance`,
});

/**
 * The image a seed is launched from: the one the member was launched from, as long as it is there
 * and makes a machine that can boot the member's root. The disks of the seed are thrown away, so
 * only what belongs to the machine has to be alike. Pure.
 */
export function seedImageOf({ image, instance }: Input): SeedImage | Finding {
  const { instanceId } = instance;
  if (image === null || image.state !== 'available') {
    const state = image === null ? 'not there any more' : image.state;
    return refused('SeedImageGone', `${instance.imageId}, which ${instanceId} was launched from, is ${state}`);
  }
  const { imageId } = image;
  if (image.tags[TAG.op] !== undefined) {
    const text = `${imageId}, which ${instanceId} was launched from, was made by a recovery of the disks of its predecessor: a seed of it would boot as the member`;
    return refused('SeedImageIsMember', text);
  }
  const { rootDeviceName, otherDeviceNames } = image;
  const unlike = differences(image, instance);
  if (rootDeviceName === null || unlike.length > 0)
    return refused('SeedImageUnfit', `${imageId} makes another machine than ${instanceId} (${unlike.join(', ')})`);
  return { imageId, rootDeviceName, otherDeviceNames: [...otherDeviceNames] };
}

/** Where EC2 does not say one of the two, they are taken for alike. */
function differences(image: CloudImage, instance: CloudInstance): readonly string[] {
  const pairs: readonly (readonly [string, string | null, string | null])[] = [
    ['root device', image.rootDeviceName, instance.rootDeviceName],
    ['architecture', image.architecture, instance.architecture],
    ['boot mode', image.bootMode, textOf(instance.raw.BootMode)],
    ['virtualization type', image.virtualizationType, textOf(instance.raw.VirtualizationType)],
    ['TPM', image.tpmSupport, textOf(instance.raw.TpmSupport)],
  ];
  return pairs.flatMap(([what, one, other]) =>
    one === null || other === null || one === other ? [] : [`${what} ${one}, not ${other}`],
  );
}
