import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { coordinatorStatements, managedPolicies } from '@understudy/aws';
import { stringify } from 'yaml';
import { ROOT } from '../tidy/source.ts';

export const FOLDER = join(ROOT, 'deploy/cloudformation');
export const textOf = (file: string): string => readFileSync(join(FOLDER, file), 'utf8');

/** Leaves room for the names of groups, which are known only when the stack is made. */
const CHARACTERS_MAX = 5_400;

const GROUPS = '@Groups';

/** Texts that name a pseudo parameter are put together by CloudFormation, and lists referred to. */
function inTemplate(value: unknown): unknown {
  if (typeof value === 'string') return value.includes('${AWS::') ? { 'Fn::Sub': value } : value;
  if (Array.isArray(value)) return value[0] === GROUPS ? { Ref: 'Groups' } : value.map(inTemplate);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, inTemplate(member)]));
}

const indented = (text: string, by: number): string =>
  text.replaceAll(/^(?=.)/gm, ' '.repeat(by)).replaceAll(/ +$/gm, '');

/** The managed policies of the coordinators' role, from the table of calls. */
function policyResources(): string {
  const statements = coordinatorStatements({
    ...{ partition: '${AWS::Partition}', region: '${AWS::Region}', account: '${AWS::AccountId}', groups: [GROUPS] },
  });
  const resources = managedPolicies(statements, CHARACTERS_MAX).map((policy, index) => [
    `CoordinatorPolicy${index === 0 ? '' : index + 1}`,
    { Type: 'AWS::IAM::ManagedPolicy', Properties: { PolicyDocument: inTemplate(policy) } },
  ]);
  return indented(stringify(Object.fromEntries(resources), { lineWidth: 0, aliasDuplicateObjects: false }), 2);
}

/** The script of user data, as it stands, in a block of its own. */
const bootBlock = (): string => `${' '.repeat(16)}- |\n${indented(textOf('boot.sh'), 18)}`;

const PARTS: Readonly<Record<string, () => string>> = { policies: policyResources, boot: bootBlock };

/** A template with the parts between its marks made anew. */
export function withGeneratedParts(template: string): string {
  let text = template;
  for (const [name, make] of Object.entries(PARTS)) {
    const mark = new RegExp(`( *# generated: ${name}\\n)[^]*?( *# end of generated)`);
    text = text.replace(mark, (_, begin: string, end: string) => `${begin}${make()}${end}`);
  }
  return text;
}
