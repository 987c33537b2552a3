import type { GroupPolicy } from '@understudy/shared';
import type { Finding } from './finding.ts';
import type { PlanInput } from './plan-input.ts';

type Asked = { readonly recover: Pick<GroupPolicy['recover'], 'firstBootFormatting'> };

/** Names shown of what formats; the rest is counted. */
const NAMED_MAX = 5;

function namesOf({ firstBoot }: PlanInput): string {
  const names = firstBoot.formatting.map((one) => `${one.where}: ${one.what}`);
  const more = names.length > NAMED_MAX ? ` and ${names.length - NAMED_MAX} more` : '';
  return names.slice(0, NAMED_MAX).join('; ') + more;
}

const isNeutralised = (input: PlanInput, policy: Asked): boolean =>
  policy.recover.firstBootFormatting === 'neutralise' && input.firstBoot.neutralised !== null;

/** The user data that the replacement is launched with. */
export const userDataOf = (input: PlanInput, policy: Asked): string | null =>
  isNeutralised(input, policy) ? input.firstBoot.neutralised : input.userData;

/** A first boot that formats the restored disks is refused, unless the policy says otherwise. */
export function firstBootProblems(input: PlanInput, policy: Asked): readonly Finding[] {
  if (input.firstBoot.formatting.length === 0 || policy.recover.firstBootFormatting === 'allow') return [];
  if (isNeutralised(input, policy)) return [];
  const cannot =
    policy.recover.firstBootFormatting === 'neutralise'
      ? 'It cannot be taken back by a further part of the user data. '
      : '';
  const text =
    `user data can format or wipe a disk at the first boot of the replacement, which has the restored data on it (${namesOf(input)}). ${cannot}` +
    'Take it out of the user data, or set recover.firstBootFormatting in the policy of the group: neutralise, or allow if it spares a disk in use';
  return [{ code: 'FirstBootFormats', text }];
}

/** What a first boot changes, in the order of its importance. */
export function firstBootLosses(input: PlanInput, policy: Asked): readonly Finding[] {
  const { firstBoot, userData } = input;
  const found: Finding[] = [];
  const note = (when: boolean, code: string, text: string) => when && found.push({ code, text });
  const formats = firstBoot.formatting.length > 0;
  const neutralised = isNeutralised(input, policy);
  note(
    formats && !neutralised,
    'FirstBootMayFormat',
    `user data can format or wipe a disk at the first boot, which the policy allows: ${namesOf(input)}`,
  );
  note(
    formats && neutralised,
    'FirstBootNeutralised',
    `the replacement's user data takes back what would format its disks: ${namesOf(input)}`,
  );
  note(
    firstBoot.unexamined.length > 0,
    'FirstBootNotExamined',
    `parts of the user data run at the first boot and were not looked into: ${firstBoot.unexamined.join('; ')}`,
  );
  note(
    userData !== null,
    'FirstBootRunsAgain',
    'cloud-init takes a new instance id for a first boot and runs user data',
  );
  note(
    true,
    'HostIdentityRenewed',
    'by default a first boot makes new SSH host keys and a new host name, which data folders and clients may know',
  );
  return found;
}
