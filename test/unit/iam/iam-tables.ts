import { AWS_CALLS, coordinatorStatements, type IamStatement, STATEMENTS } from '@understudy/aws';

/** The tables of docs/iam.md. `npm test` says when the page is not what the code is. */
const row = (...cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
const code = (text: string): string => `\`${text}\``;
const yes = (is: boolean): string => (is ? 'yes' : '');

const why: Readonly<Record<string, { readonly why: string }>> = STATEMENTS;
const PASS = ['arn:aws:iam::123456789012:role/MEMBER'];

/** Which action, what for, and the statements that allow it. */
export function callsTable(): string {
  const rows = AWS_CALLS.map((call) =>
    row(
      code(call.action),
      call.why,
      ...[yes(call.mutating), yes(call.hasDryRun)],
      call.allowedBy.map((name) => code(name)).join(', '),
    ),
  );
  return [
    row('Action', 'What for', 'Changes', 'DryRun', 'Allowed by'),
    row('---', '---', '---', '---', '---'),
    ...rows,
  ].join('\n');
}

const conditionOf = ({ Condition = {} }: IamStatement): string =>
  Object.entries(Condition)
    .flatMap(([operator, keys]) =>
      Object.entries(keys).map(([key, value]) => code(`${operator} ${key} ${[value].flat().join(', ')}`)),
    )
    .join('; ');

const kindOf = (arn: string): string => code(arn.replace(/^arn:aws:(?:ec2:\*:\*?:|iam::\d+:)?/, ''));

/** What each statement is about, what bounds it, and why. */
export function statementsTable(): string {
  const rows = coordinatorStatements({
    ...{ passRoles: PASS, region: '*', hostedZones: ['ZONE'] },
    targetGroups: ['arn:aws:elasticloadbalancing:*:*:targetgroup/NAME/*'],
    eventQueues: ['arn:aws:sqs:*:*:QUEUE'],
    topics: ['arn:aws:sns:*:*:TOPIC'],
    eventBuses: ['arn:aws:events:*:*:event-bus/BUS'],
    runsCommands: true,
  }).map((one) => row(code(one.Sid), one.Resource.map(kindOf).join(', '), conditionOf(one), why[one.Sid]?.why ?? ''));
  return [row('Statement', 'About', 'Only where', 'Why'), row('---', '---', '---', '---'), ...rows].join('\n');
}
