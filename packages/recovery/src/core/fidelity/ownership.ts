import { flagOf, rawOf, textOf } from '@understudy/shared';
import { type FidelityTheme, type Refusal, when } from './row.ts';

/** Somebody else replaces this instance already; two of them would fight. */
const OWNER_TAGS: readonly { readonly prefix: string; readonly code: string; readonly owner: string }[] = [
  { prefix: 'aws:autoscaling:groupName', code: 'ManagedByAutoScaling', owner: 'an Auto Scaling group' },
  { prefix: 'eks:', code: 'ManagedByEks', owner: 'EKS' },
  { prefix: 'aws:eks:', code: 'ManagedByEks', owner: 'EKS' },
  { prefix: 'elasticbeanstalk:', code: 'ManagedByBeanstalk', owner: 'Elastic Beanstalk' },
  { prefix: 'aws:elasticmapreduce:', code: 'ManagedByEmr', owner: 'EMR' },
  { prefix: 'aws:ec2:fleet-id', code: 'ManagedByFleet', owner: 'an EC2 fleet' },
  { prefix: 'aws:ec2spot:fleet-request-id', code: 'ManagedByFleet', owner: 'a Spot fleet' },
];

const OWNER_CODES: readonly string[] = [...new Set(OWNER_TAGS.map((one) => one.code))];

/** The last tag of an owner names it, as often as it tags. */
const OWNER_REFUSALS: readonly Refusal[] = OWNER_CODES.map((code) => ({
  code,
  text: ({ input: { instance } }) => {
    const found = Object.keys(instance.tags).flatMap((key) => {
      const owner = OWNER_TAGS.find(({ prefix }) => key.startsWith(prefix));
      return owner?.code === code ? [`tag ${key}: ${owner.owner} manages this instance`] : [];
    });
    return found.at(-1) ?? null;
  },
  remedy: 'Take the instance out of its owner’s hands, or out of the recovery group.',
}));

export const OWNERSHIP: FidelityTheme = {
  theme: 'Ownership',
  rows: [
    {
      number: 39,
      attribute: 'other owners',
      read: ['Instance.Tags[aws:…]', 'Instance.Operator'],
      loss: [
        {
          code: 'CloudFormationDrift',
          text: ({ input }) => {
            const stack = input.instance.tags['aws:cloudformation:stack-name'];
            return when(stack !== undefined, `stack ${stack ?? ''} keeps naming the old instance`);
          },
        },
      ],
      refuse: [
        ...OWNER_REFUSALS,
        {
          code: 'ManagedByOperator',
          text: ({ input }) => {
            const operator = rawOf(input.instance.raw.Operator);
            const name = textOf(operator.Principal) ?? 'an AWS service';
            return when(flagOf(operator.Managed), `${name} operates this instance; it cannot be changed by others`);
          },
          remedy: 'Leave its recovery to the service that operates it.',
        },
      ],
      why: 'Somebody else replaces such an instance already, and two of them would fight.',
    },
  ],
};
