import { TAG } from '@understudy/shared';
import { carriedTags, limitTags, MAX_TAGS } from '../launch-tags.ts';
import { firstImageOf } from '../seed-image.ts';
import { ownVolumeTags } from '../volume-tags.ts';
import { type Circumstances, type FidelityTheme, when } from './row.ts';

/**
 * Two places are kept for the marks of the recovery (op, attempt), those that the policy's tags
 * need, and on an instance one for the image that its line began with.
 */
function overLimit({ input, policy }: Circumstances): string | null {
  const { instance, volumes, networkInterfaces } = input;
  const room = MAX_TAGS - 2;
  const line = firstImageOf(input) === null ? {} : { [TAG.seedImage]: '' };
  const { length } = [{ tags: { ...instance.tags, ...line } }, ...volumes, ...networkInterfaces].filter(
    ({ tags }) => Object.keys({ ...policy.recover.tags, ...carriedTags(tags) }).length > room,
  );
  const wanted = Object.keys(policy.recover.tags).length;
  return when(
    length > 0,
    `${length} resources have more than ${room} tags${wanted > 0 ? `, ${wanted} of the policy included` : ''}: the last by name are dropped`,
  );
}

export const TAGS: FidelityTheme = {
  theme: 'Tags',
  rows: [
    {
      number: 37,
      attribute: 'tags',
      read: ['Instance.Tags[]', 'Volume.Tags[]'],
      carry: { plan: { instanceTags: ({ input }) => limitTags(carriedTags(input.instance.tags)) } },
      reapply: [
        {
          step: 'done',
          call: 'CreateTags',
          chores: ({ volumes, plan: { policy }, newInstanceId: instanceId }) =>
            ownVolumeTags({ volumes, policy }).map(({ deviceName, tags }) => ({
              kind: 'volume-tags',
              instanceId,
              deviceName,
              tags: { ...tags },
            })),
        },
      ],
      loss: [{ code: 'TagsOverLimit', text: overLimit }],
      why: 'A launch tags the instance, and all volumes alike. What differs from volume to volume is put on afterwards.',
    },
    {
      number: 38,
      attribute: 'launch template link',
      read: ['Instance.Tags[aws:ec2launchtemplate:id]'],
      loss: [
        {
          code: 'LaunchTemplateLinkLost',
          text: ({ input }) => {
            const template = input.instance.tags['aws:ec2launchtemplate:id'];
            return when(
              template !== undefined,
              `the link to launch template ${template ?? ''}: only a launch by the template makes it, and that would bring back what was changed since`,
            );
          },
        },
      ],
      why: 'Only EC2 writes tags that begin with `aws:`.',
    },
  ],
};
