import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { NO_ATTRIBUTES, NOT_LOOKED_AT, type NotRead } from './not-read.ts';
import type { FidelityRow, FidelityTheme } from './row.ts';
import { FIDELITY_THEMES } from './table.ts';

/** `docs/fidelity.md` is this page; `npm run fidelity` writes it anew. */
it('docs/fidelity.md says what the table says (npm run fidelity writes it)', async () => {
  await expect(pageOf(FIDELITY_THEMES)).toMatchFileSnapshot(resolve('docs/fidelity.md'));
});

const HEAD = `# What becomes of each attribute

A replacement is a new instance. This page says for every attribute of the failed one what becomes
of it. It is made from the fidelity table, from which the plan, the requests and the chores are made
as well; a test holds it against the table. Why some of it is so, and what an operator chooses:
[replacement](replacement.md).

- **Read**: members of EC2's answers that hold it, by their type in the EC2 API; *still there*: the
  question that tells whether what it names exists.
- **Carried**: members of the requests that have it, or fields of the plan that further steps read.
  *(type)*: left out for a candidate of another type; *(zone)*: left out in another zone;
  *(T types)*: left out for other types than those of the T family; *(unless gone)*: left out when
  what it names does not exist any more.
- **Put back**: the step that does it after the launch, or before anything uses it, and its call.
- **Lost**: codes in \`losses\` of the plan, when the instance has it.
- **Refused**: codes under which no recovery begins. What to do about each stands in the list below
  the table.

## Adding an attribute

One row, in the file of its theme in the folder \`fidelity\` of the recovery package: a number, where
it is read, and what carries it, puts it back, loses it or refuses it. Nothing else is edited for it
in the planner, in the requests or in the steps. What EC2 has to be asked in addition becomes a
field of \`PlanInput\`, filled by \`gatherPlanInput\`; what a further request needs becomes a field of
the plan. Then:

1. an example of each new code and of each carried part in \`examples.fixtures.ts\` (a test asks for
   it);
2. \`npm run fidelity\`, which writes this page.

A member of EC2's answers that no row reads, and neither list at the end of this page has, fails a
test (\`unnamed-attributes.test.ts\`): also one that a newer SDK brings.
`;

function pageOf(themes: readonly FidelityTheme[]): string {
  return [
    ...[HEAD, ...themes.map(sectionOf)],
    '## Not looked at\n\nA replacement lacks these, and its plan does not say so.\n',
    `${listOf(NOT_LOOKED_AT)}\n`,
    "## No attributes\n\nMembers of EC2's answers that a replacement can neither have nor lack.\n",
    `${listOf(NO_ATTRIBUTES)}\n`,
  ].join('\n');
}

function listOf(members: readonly NotRead[]): string {
  const byReason = Map.groupBy(members, ({ why }) => why);
  const rows = [...byReason].map(([why, of]) => `| ${coded(of.map(({ member }) => member))} | ${why} |`);
  return ['| Members | Why |', '|---|---|', ...rows].join('\n');
}

const sectionOf = ({ theme, rows }: FidelityTheme): string =>
  [
    `## ${theme}\n`,
    '| # | Attribute | Read | Carried | Put back | Lost | Refused | Why |',
    '|---|---|---|---|---|---|---|---|',
    ...rows.map(rowOf),
    ...remediesOf(rows),
    '',
  ].join('\n');

function rowOf(row: FidelityRow): string {
  const { number, attribute, read, names, why } = row;
  const source = [coded(read), names ? `still there: \`${names.asked}\`` : ''].filter((one) => one !== '').join('; ');
  const cells = [String(number), attribute, source, carriedIn(row), putBackBy(row), lostUnder(row)];
  return `| ${[...cells, coded(codesOf(row.refuse)), why].join(' | ')} |`;
}

const coded = (words: readonly string[]): string => words.map((word) => `\`${word}\``).join(', ');
const codesOf = (rules: FidelityRow['loss'] = []): readonly string[] => rules.map((rule) => rule.code);

const BOUND = { type: ' (type)', zone: ' (zone)', 'burstable-type': ' (T types)' };

function carriedIn({ carry, names }: FidelityRow): string {
  const unlessGone = names ? ' (unless gone)' : '';
  const launch = (of: NonNullable<FidelityRow['carry']>['launch'], prefix: string) =>
    Object.entries(of ?? {}).map(
      ([name, { boundTo }]) => `\`${prefix}${name}\`${boundTo ? BOUND[boundTo] : ''}${unlessGone}`,
    );
  const fields = (of: object | undefined, prefix: string) =>
    Object.keys(of ?? {}).map((name) => `\`${prefix}${name}\``);
  return [
    ...launch(carry?.launch, 'RunInstances.'),
    ...launch(carry?.placement, 'RunInstances.Placement.'),
    ...fields(carry?.disk, 'RunInstances.BlockDeviceMappings[].Ebs.'),
    ...fields(carry?.image, 'RegisterImage.'),
    ...fields(carry?.plan, 'plan.'),
  ].join(', ');
}

const putBackBy = ({ reapply = [] }: FidelityRow): string =>
  reapply.map(({ step, call }) => `\`${step}\`: \`${call}\``).join(', ');

const lostUnder = (row: FidelityRow): string => coded(codesOf(row.loss));

function remediesOf(rows: readonly FidelityRow[]): readonly string[] {
  const refusals = rows.flatMap((row) => row.refuse ?? []);
  const byRemedy = Map.groupBy(refusals, ({ remedy }) => remedy);
  if (byRemedy.size === 0) return [];
  return [
    '\n| Refused under | What to do |',
    '|---|---|',
    ...[...byRemedy].map(([remedy, rules]) => `| ${coded(codesOf(rules))} | ${remedy} |`),
  ];
}
