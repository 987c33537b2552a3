import { type CloudInstance, type GroupPolicy, type PlannedVolume, TAG, type Tags } from '@understudy/shared';
import { commonTags, limitTags, MAX_TAGS } from './launch-tags.ts';

/** What the tags of new volumes follow from. */
export interface VolumeTagging {
  readonly volumes: readonly PlannedVolume[];
  readonly policy: { readonly recover: Pick<GroupPolicy['recover'], 'tags'> };
}

/** Tags every new volume gets with the launch. */
export const launchVolumeTags = ({ volumes, policy }: VolumeTagging, marks: Tags): Record<string, string> =>
  limitTags({ ...policy.recover.tags, ...commonTags(volumes), ...marks }, MAX_TAGS, policy.recover.tags);

/** Marks of {@link effectTags} whose values do not matter for counting. */
const MARKS: Tags = { [TAG.op]: '', [TAG.attempt]: '' };

/**
 * RunInstances tags all new volumes alike, so what differs per volume is put on afterwards
 * (CreateTags, idempotent), by device name. No more than EC2 has room for beside the launch's: one
 * tag too many and EC2 takes none of them. Volumes without tags of their own are left out.
 */
export function ownVolumeTags(tagging: VolumeTagging): readonly { readonly deviceName: string; readonly tags: Tags }[] {
  const atLaunch = launchVolumeTags(tagging, MARKS);
  return tagging.volumes.flatMap(({ deviceName, tags }) => {
    const own = Object.fromEntries(Object.entries(tags).filter(([key, value]) => atLaunch[key] !== value));
    const fitting = limitTags(own, MAX_TAGS - Object.keys(atLaunch).length);
    return Object.keys(fitting).length > 0 ? [{ deviceName, tags: fitting }] : [];
  });
}

/**
 * {@link ownVolumeTags} for the volumes that an instance has. A device that it lacks is left out.
 */
export const volumeTagsToReapply = (
  tagging: VolumeTagging,
  replacement: Pick<CloudInstance, 'volumes'>,
): readonly { readonly volumeId: string; readonly tags: Tags }[] =>
  ownVolumeTags(tagging).flatMap(({ deviceName, tags }) => {
    const found = replacement.volumes.find((volume) => volume.deviceName === deviceName);
    return found ? [{ volumeId: found.volumeId, tags }] : [];
  });
