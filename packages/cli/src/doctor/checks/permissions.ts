import { isOperationError } from '@understudy/shared';
import { check } from '../check.ts';
import type { CoordinatorHost } from '../coordinator-host.ts';
import { type DryRunSubject, dryRunInput } from '../dry-runs.ts';
import { type Finding, fault, note, ok, warning } from '../finding.ts';

/** What AWS said of one call that was only tried. */
export interface TriedCall {
  readonly action: string;
  readonly why: string;
  /** `untried`: it cannot be tried without what only a recovery makes. */
  readonly answer: 'allowed' | 'denied' | 'untried' | { readonly other: string };
}

const names = (calls: readonly TriedCall[]): string => calls.map(({ action }) => action).join(', ');

/** What the role of this host may do. Pure. */
export function judgePermissions(calls: readonly TriedCall[], subject: string | null): readonly Finding[] {
  const of = (answer: string) => calls.filter((one) => one.answer === answer);
  const denied = of('denied').map(({ action, why }) =>
    fault(
      `${action} is denied (it ${why})`,
      'give the role of this host the generated policy',
      'understudy iam-policy',
    ),
  );
  const others = calls.flatMap(({ action, answer }): Finding[] =>
    typeof answer === 'object'
      ? [
          warning(
            `${action} could not be tried: ${answer.other}`,
            'see that EC2 can be reached and credentials are there',
          ),
        ]
      : [],
  );
  const allowed = of('allowed');
  const untried = of('untried');
  const hint = subject === null ? '; --try-member GROUP/NAME tries some of them on its instance' : '';
  return [
    ...denied,
    ...others,
    ...(allowed.length > 0 ? [ok(`allowed: ${names(allowed)}`)] : []),
    ...(untried.length > 0
      ? [
          note(
            `${untried.length} cannot be tried before a recovery, so nothing is known of them: ${names(untried)}${hint}`,
          ),
        ]
      : []),
  ];
}

const DENIED = new Set(['UnauthorizedOperation', 'AccessDenied', 'AccessDeniedException']);

/** EC2 says yes to a dry run by refusing it with a code of its own. */
function answerOf(error: unknown): TriedCall['answer'] {
  const { name } = error instanceof Error ? error : { name: String(error) };
  const code = isOperationError(error) ? (error.upstreamCode ?? error.code) : name;
  if (code === 'DryRunOperation') return 'allowed';
  return DENIED.has(code) ? 'denied' : { other: error instanceof Error ? `${code}: ${error.message}` : code };
}

/** Finds the instance of the member whose name may stand in dry runs. */
async function subjectOf({ ec2, tryMember }: CoordinatorHost): Promise<DryRunSubject | null> {
  const [group, name] = tryMember?.split('/') ?? [];
  if (group === undefined || name === undefined) return null;
  const send = await ec2();
  const tags = { 'understudy:group': group, 'understudy:member': name };
  const Filters = [
    ...Object.entries(tags).map(([tag, value]) => ({ Name: `tag:${tag}`, Values: [value] })),
    { Name: 'instance-state-name', Values: ['running', 'stopped'] },
  ];
  const { Reservations } = await send('DescribeInstances', { Filters }, { mutating: false });
  const instanceId = JSON.stringify(Reservations ?? []).match(/"InstanceId":"(i-[0-9a-f]+)"/)?.[1];
  return instanceId === undefined ? null : { instanceId };
}

export const permissions = check(
  'permissions',
  async (host: CoordinatorHost) => {
    const { AWS_CALLS } = await import('@understudy/aws');
    const send = await host.ec2();
    const calls = AWS_CALLS.filter(({ sender, hasDryRun }) => sender === 'coordinator' && hasDryRun);
    const tried = async (action: string, input: Record<string, unknown>): Promise<TriedCall['answer']> =>
      send(action.replace('ec2:', ''), { ...input, DryRun: true }, { mutating: true }).then(
        () => ({ other: 'DryRun was taken for the call itself: nothing more is tried here' }),
        answerOf,
      );
    // Nothing that changes something is sent before EC2 has shown that it knows DryRun.
    const knowsDryRun = (await tried('ec2:DescribeInstances', {})) === 'allowed';
    const subject = knowsDryRun ? await subjectOf(host) : null;
    const answers = await Promise.all(
      calls.map(async ({ action, why, mutating }): Promise<TriedCall> => {
        const input = knowsDryRun || !mutating ? dryRunInput(action, subject) : null;
        return { action, why, answer: input === null ? 'untried' : await tried(action, input) };
      }),
    );
    return { answers, subject: subject?.instanceId ?? null };
  },
  ({ answers, subject }) => judgePermissions(answers, subject),
);
