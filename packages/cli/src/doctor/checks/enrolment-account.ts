import { check } from '../check.ts';
import type { CoordinatorHost } from '../coordinator-host.ts';
import { fault, type Finding, note, ok } from '../finding.ts';

export interface EnrolmentAccountFacts {
  /** Accounts whose instances may enrol (`enrolment.accounts`). */
  readonly accounts: readonly string[];
  /** The account that EC2 answers of. Null: it shows no instance, so nothing says which. */
  readonly own: string | null;
}

/**
 * Whether the instances that may enrol are those that EC2 is asked about here. Null: nobody enrols.
 * Pure.
 */
export function judgeEnrolmentAccount(facts: EnrolmentAccountFacts | null): readonly Finding[] {
  if (facts === null) return [];
  const { accounts, own } = facts;
  if (own === null) return [note('EC2 shows no instance: which account it answers of is not known')];
  const foreign = accounts.filter((account) => account !== own);
  if (!accounts.includes(own))
    return [
      fault(
        `every agent is refused: EC2 answers of account ${own}, enrolment.accounts names ${accounts.join(', ')}`,
        `name ${own} in enrolment.accounts, or give this host a role of the members' account`,
      ),
    ];
  const useless = foreign.map((account) =>
    note(`enrolment.accounts names ${account}, of which EC2 shows nothing here: nobody enrols from there`),
  );
  return [ok(`EC2 answers of account ${own}, which enrolment.accounts names`), ...useless];
}

/**
 * A reservation names the account that owns it, and EC2 describes one's own only: the account of
 * the role is known without a call that the role would need a permission for.
 */
export const enrolmentAccount = check(
  'enrolment account',
  async ({ config, ec2 }: CoordinatorHost): Promise<EnrolmentAccountFacts | null> => {
    if (config.enrolment === undefined) return null;
    const send = await ec2();
    const { Reservations } = await send('DescribeInstances', { MaxResults: 5 }, { mutating: false });
    const own = /"OwnerId":"(\d{12})"/.exec(JSON.stringify(Reservations ?? []))?.[1] ?? null;
    return { accounts: config.enrolment.accounts, own };
  },
  judgeEnrolmentAccount,
);
