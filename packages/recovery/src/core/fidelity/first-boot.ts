import type { GroupPolicy } from '@understudy/shared';
import type { PlanInput } from '../plan-input.ts';
import { keyIdInUserData } from '../user-data/agent-key-id.ts';
import { type FidelityTheme, when } from './row.ts';

type Asked = { readonly recover: Pick<GroupPolicy['recover'], 'firstBootFormatting'> };

/** Names shown of what formats; the rest is counted. */
const NAMED_MAX = 5;

function namesOf({ firstBoot }: PlanInput): string {
  const names = firstBoot.formatting.map((one) => `${one.where}: ${one.what}`);
  const more = names.length > NAMED_MAX ? ` and ${names.length - NAMED_MAX} more` : '';
  return names.slice(0, NAMED_MAX).join('; ') + more;
}

const formats = ({ firstBoot }: PlanInput): boolean => firstBoot.formatting.length > 0;

const isNeutralised = (input: PlanInput, policy: Asked): boolean =>
  policy.recover.firstBootFormatting === 'neutralise' && input.firstBoot.neutralised !== null;

/** A first boot that formats the restored disks is refused, unless the policy says otherwise. */
function refusalOf(input: PlanInput, policy: Asked): string | null {
  if (!formats(input) || policy.recover.firstBootFormatting === 'allow' || isNeutralised(input, policy)) return null;
  const cannot =
    policy.recover.firstBootFormatting === 'neutralise'
      ? 'It cannot be taken back by a further part of the user data. '
      : '';
  return (
    `user data can format or wipe a disk at the first boot of the replacement, which has the restored data on it (${namesOf(input)}). ${cannot}` +
    'Take it out of the user data, or set recover.firstBootFormatting in the policy of the group: neutralise, or allow if it spares a disk in use'
  );
}

export const FIRST_BOOT: FidelityTheme = {
  theme: 'First boot',
  rows: [
    {
      number: 17,
      attribute: 'user data',
      read: ['InstanceAttribute.UserData'],
      carry: {
        launch: {
          UserData: {
            value: ({ input, policy }) =>
              (isNeutralised(input, policy) ? input.firstBoot.neutralised : input.userData) ?? undefined,
          },
        },
      },
      loss: [
        {
          code: 'AgentKeyInUserData',
          text: ({ input }) => {
            const keyId = keyIdInUserData(input.userData);
            return when(
              keyId !== null,
              `user data names agent key id ${keyId}; if that is retired, the replacement needs the key its root volume keeps (docs/key-rotation.md)`,
            );
          },
        },
        {
          code: 'FirstBootMayFormat',
          text: ({ input, policy }) =>
            when(
              formats(input) && !isNeutralised(input, policy),
              `user data can format or wipe a disk at the first boot, which the policy allows: ${namesOf(input)}`,
            ),
        },
        {
          code: 'FirstBootNeutralised',
          text: ({ input, policy }) =>
            when(
              formats(input) && isNeutralised(input, policy),
              `the replacement's user data takes back what would format its disks: ${namesOf(input)}`,
            ),
        },
        {
          code: 'FirstBootNotExamined',
          text: ({ input: { firstBoot } }) =>
            when(
              firstBoot.unexamined.length > 0,
              `parts of the user data run at the first boot and were not looked into: ${firstBoot.unexamined.join('; ')}`,
            ),
        },
        {
          code: 'FirstBootRunsAgain',
          text: ({ input }) =>
            when(input.userData !== null, 'cloud-init takes a new instance id for a first boot and runs user data'),
        },
        {
          code: 'HostIdentityRenewed',
          text: () =>
            'by default a first boot makes new SSH host keys and a new host name, which data folders and clients may know',
        },
      ],
      refuse: [
        {
          code: 'FirstBootFormats',
          text: ({ input, policy }) => refusalOf(input, policy),
          remedy:
            'Take it out of the user data, or set `recover.firstBootFormatting` in the policy ([the first boot](replacement.md#the-first-boot)).',
        },
      ],
      why: 'A new instance id is a first boot for cloud-init, which runs the user data again beside the restored data.',
    },
  ],
};
