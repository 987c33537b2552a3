import { namedBy } from '../references.ts';
import { DRY_RUN, nameThatMayBeGone } from './gone-names.ts';
import { type Circumstances, type FidelityTheme, when } from './row.ts';

const keyPairGone = ({ input: { instance, references } }: Circumstances): string | null =>
  when(
    references.keyPair === 'gone',
    `key pair ${namedBy(instance).keyName ?? ''} does not exist any more: the launch does not name it; its public key is on the root disk`,
  );

export const ACCESS: FidelityTheme = {
  theme: 'Access',
  rows: [
    {
      number: 3,
      attribute: 'key pair',
      read: ['Instance.KeyName', 'KeyPairInfo.KeyName'],
      carry: { launch: { KeyName: { value: ({ input }) => input.instance.keyName ?? undefined } } },
      names: { asked: 'DescribeKeyPairs', existence: (references) => references.keyPair },
      loss: [{ code: 'KeyPairGone', text: keyPairGone }],
      notice: [{ code: 'KeyPairGone', text: keyPairGone }],
      why: 'Its public key is on the root disk, so a launch can do without the name.',
    },
    {
      number: 16,
      attribute: 'IAM instance profile',
      read: ['Instance.IamInstanceProfile'],
      carry: {
        launch: {
          IamInstanceProfile: {
            value: ({ input: { instance } }) =>
              instance.iamInstanceProfileArn === null ? undefined : { Arn: instance.iamInstanceProfileArn },
          },
        },
      },
      ...nameThatMayBeGone({
        kind: 'instance-profile',
        code: 'InstanceProfile',
        asked: DRY_RUN,
        existence: (references) => references.instanceProfile,
        words: (named) => `instance profile ${named.instanceProfileArn ?? ''}`,
      }),
      why: 'Only a launch that is tried (DryRun) tells whether it can still be used.',
    },
  ],
};
