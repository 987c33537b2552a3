import { type CloudImage, OperationError } from '@understudy/shared';
import type { Answer, Bench, Question } from '../question.ts';
import { waitFor } from '../waiting.ts';

const IMAGE_LIMIT_MS = 10 * 60_000;

/** What an image has that a machine made of it boots, works and is billed by. */
const FIELDS = ['bootMode', 'enaSupport', 'tpmSupport', 'sriovNetSupport', 'imdsSupport', 'platformDetails'] as const;

async function imageOf({ cloud }: Bench, imageId: string): Promise<CloudImage | null> {
  return (await cloud.describeImages({ 'image-id': [imageId] }))[0] ?? null;
}

async function registered(bench: Bench, image: CloudImage): Promise<CloudImage> {
  const { cloud, clock, things } = bench;
  const { instanceId, architecture } = await things.running();
  await cloud.stopInstance(instanceId, { force: false, skipOsShutdown: false });
  await things.until(instanceId, 'stopped');
  const [snapshot] = await things.capture(instanceId);
  if (snapshot === undefined || image.rootDeviceName === null)
    throw new OperationError('CLOUD_NOT_FOUND', 'the image or its instance has no root disk');
  const { bootMode, enaSupport, tpmSupport, sriovNetSupport, virtualizationType, imdsSupport } = image;
  const request = {
    ...{ name: `understudy-${things.token()}`, rootDeviceName: image.rootDeviceName },
    ...{ rootSnapshotId: snapshot.snapshotId, architecture: image.architecture ?? architecture ?? 'x86_64' },
    ...{ bootMode, enaSupport, tpmSupport, sriovNetSupport, virtualizationType, imdsSupport, tags: things.tags },
  };
  const { imageId } = await things.making(cloud.registerImage(request));
  const wait = { what: 'the new image is available', limitMs: IMAGE_LIMIT_MS, everyMs: 5_000 };
  const { found } = await waitFor(clock, wait, async () => {
    const made = await imageOf(bench, imageId);
    return made?.state === 'available' ? made : null;
  });
  return found;
}

async function ask(bench: Bench): Promise<Answer> {
  const image = await imageOf(bench, bench.given.imageId);
  if (image === null) throw new OperationError('CLOUD_NOT_FOUND', 'the image does not exist');
  const made = await registered(bench, image);
  const lost = FIELDS.filter((field) => String(image[field] ?? '') !== String(made[field] ?? ''));
  const figures = Object.fromEntries(
    lost.map((field) => [field, `${image[field] ?? 'absent'} → ${made[field] ?? 'absent'}`]),
  );
  if (lost.length === 0) return { verdict: 'as-assumed', saw: `all are carried: ${FIELDS.join(', ')}`, figures };
  return { verdict: 'otherwise', saw: `not carried: ${lost.join(', ')}`, figures };
}

export const imageFields: Question = {
  id: 'image-fields',
  asks: 'does an image registered from the root snapshot carry boot mode, ENA, TPM and billing of this image?',
  restsOn: 'the replacement boots and is billed as its predecessor (docs/fidelity.md)',
  remedy: 'prefer strategies that keep the image (reattach) for machines of it, and open an issue with this report',
  needs: [],
  use: { instances: 1, minutes: 20, diskGiB: 16 },
  calls: ['RunInstances', 'StopInstances', 'CreateSnapshots', 'RegisterImage'],
  ask,
};
