import { inTurn, shellWord } from '../shell-word.ts';
import type { HandBackGiven, HandBackPapers, HandBackStep, HandBackTool } from '../tool.ts';
import { leaveEdit } from './leave-template.ts';
import { type StackSwap, stackSwaps } from './stack-swap.ts';
import { importCheck, importEdit, keepPatch, leaveCheck, modifyCheck, referEdit, toImport } from './template-edits.ts';

const shown = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

interface Round {
  /** File names begin with it. */
  readonly at: string;
  /** Makes the template of this round. */
  readonly make: string;
  readonly kind: 'UPDATE' | 'IMPORT';
  readonly waitFor: string;
  readonly more?: readonly string[];
}

/** A change set that is made, looked at, and executed only where the look was well. */
function changeSet({ stack, opId }: StackSwap, prefix: string, round: Round): string {
  const name = shellWord(stack);
  const { at, make, kind, waitFor, more = [] } = round;
  const set = `understudy-${opId}-${at}`;
  const of = `--stack-name ${name} --change-set-name ${shellWord(set)}`;
  const file = (what: string): string => `${prefix}${at}-${what}`;
  return inTurn([
    `${make} > ${file('template.json')}`,
    [
      `aws cloudformation create-change-set ${of} --change-set-type ${kind}`,
      `--template-body file://${file('template.json')} --parameters file://${prefix}parameters.json`,
      // Asked for wherever a template has a role, also where nothing is changed about it.
      '--capabilities CAPABILITY_NAMED_IAM',
      ...more,
    ].join(' '),
    `aws cloudformation wait change-set-create-complete ${of}`,
    `aws cloudformation describe-change-set ${of} --output json > ${file('changes.json')}`,
    `jq -e -r -f ${file('check.jq')} ${file('changes.json')}`,
    `aws cloudformation execute-change-set ${of}`,
    `aws cloudformation wait ${waitFor} --stack-name ${name}`,
  ]);
}

const look = ({ stack }: StackSwap, prefix: string): HandBackStep => ({
  title: `${stack}: fetch the template and the parameters`,
  text: 'without its parameters a change set would take their defaults. A template in YAML has to be made JSON first, or edited by hand in the same way; one with a transform, or a nested stack, is edited at its source',
  edits: [],
  commands: [
    `aws cloudformation get-template --stack-name ${shellWord(stack)} --template-stage Original --query TemplateBody --output json > ${prefix}0-template.json`,
    `jq -e 'type == "object" and (has("Transform") | not)' ${prefix}0-template.json`,
    `aws cloudformation describe-stacks --stack-name ${shellWord(stack)} --query 'Stacks[0].Parameters' --output json | jq '[.[]? | {ParameterKey, UsePreviousValue: true}]' > ${prefix}parameters.json`,
    `aws cloudformation list-stack-resources --stack-name ${shellWord(stack)} --query 'StackResourceSummaries[?ResourceType==\`AWS::EC2::VolumeAttachment\` || ResourceType==\`AWS::EC2::EIPAssociation\` || ResourceType==\`AWS::EC2::NetworkInterfaceAttachment\`].[LogicalResourceId,PhysicalResourceId]' --output text`,
  ],
});

function rounds(swap: StackSwap, prefix: string): readonly HandBackStep[] {
  const file = (name: string): string => `${prefix}${name}`;
  const both = `${file('1-template.json')} ${file('2-template.json')}`;
  return [
    {
      title: `${swap.stack}: keep what is to leave the stack`,
      text: 'DeletionPolicy: Retain. What the last step listed of the old instance joins it to something and cannot be imported: name each with --leave, and ask again, before you go on',
      edits: [],
      commands: [
        changeSet(swap, prefix, {
          ...{ at: '1', kind: 'UPDATE', waitFor: 'stack-update-complete' },
          make: `jq -s '.[0] * .[1]' ${file('0-template.json')} ${file('1-keep.json')}`,
        }),
      ],
    },
    {
      title: `${swap.stack}: let it leave the stack`,
      text: 'what refers to them (Ref, Fn::GetAtt, Fn::Sub) gets the ids and attributes of now for a while. The change set must show Remove with the policy Retain for exactly these, and no replacement. An output that another stack imports cannot change: let that stack have a literal before',
      edits: [],
      commands: [
        changeSet(swap, prefix, {
          ...{ at: '2', kind: 'UPDATE', waitFor: 'stack-update-complete' },
          make: inTurn([
            `aws ec2 describe-instances --instance-ids ${shellWord(swap.instanceId)} --query 'Reservations[0].Instances[0]' --output json > ${file('2-instance.json')}`,
            `jq --slurpfile seen ${file('2-instance.json')} -f ${file('2-leave.jq')} ${file('1-template.json')}`,
          ]),
        }),
      ],
    },
    {
      title: `${swap.stack}: import what is there now, under the same names`,
      text: 'with the properties of now: a later change of the template to them would replace the instance. get-template-summary says by which identifiers CloudFormation imports each type',
      edits: [],
      commands: [
        `jq -s -f ${file('3-import.jq')} ${both} > ${file('3-template.json')} && aws cloudformation get-template-summary --template-body file://${file('3-template.json')} --query ResourceIdentifierSummaries --output json`,
        changeSet(swap, prefix, {
          ...{ at: '3', kind: 'IMPORT', waitFor: 'stack-import-complete' },
          make: `jq -s -f ${file('3-import.jq')} ${both}`,
          more: [`--resources-to-import file://${file('3-resources.json')}`],
        }),
      ],
    },
    {
      title: `${swap.stack}: refer to them again`,
      text: 'where outputs or other resources named them. With nothing to change the change set fails, and that is well',
      edits: [],
      commands: [
        changeSet(swap, prefix, {
          ...{ at: '4', kind: 'UPDATE', waitFor: 'stack-update-complete' },
          make: `jq -s -f ${file('4-refer.jq')} ${file('1-template.json')} ${file('3-template.json')}`,
        }),
      ],
    },
    {
      title: `${swap.stack}: see what differs from the template`,
      text: 'an import does not compare. The template of the last step is the one to keep in your code',
      edits: [],
      commands: swap.swaps.map(
        ({ logicalId }) =>
          `aws cloudformation detect-stack-resource-drift --stack-name ${shellWord(swap.stack)} --logical-resource-id ${shellWord(logicalId)}`,
      ),
    },
  ];
}

function filesOf(swap: StackSwap, prefix: string): HandBackPapers['files'] {
  const files: Readonly<Record<string, string>> = {
    '1-keep.json': shown(keepPatch(swap)),
    '1-check.jq': modifyCheck(),
    '2-leave.jq': leaveEdit(swap),
    '2-check.jq': leaveCheck(swap),
    '3-import.jq': importEdit(swap),
    '3-resources.json': shown(toImport(swap)),
    '3-check.jq': importCheck(swap),
    '4-refer.jq': referEdit(swap),
    '4-check.jq': modifyCheck(),
  };
  return Object.entries(files).map(([name, text]) => ({ name: `${prefix}${name}`, text }));
}

const noStack = ({ view }: HandBackGiven): HandBackPapers => ({
  notes: [],
  files: [],
  steps: [
    {
      title: 'find the stack',
      text: 'no tag says which one made the instance. Where none has, there is nothing to hand back',
      edits: [],
      commands: [
        `aws cloudformation describe-stack-resources --physical-resource-id ${shellWord(view.resources[0]?.was ?? '')} --query 'StackResources[].[StackName,LogicalResourceId]' --output text`,
      ],
    },
    { title: 'ask again', text: 'with --stack NAME --logical-id NAME', edits: [], commands: [] },
  ],
});

/** Nothing to swap in a stack means that it would only lose resources: that is nobody's wish. */
function papers(given: HandBackGiven): HandBackPapers {
  if (!given.view.isDue) return { notes: [], steps: [], files: [] };
  const stacks = stackSwaps(given).filter(({ swaps }) => swaps.length > 0);
  if (stacks.length === 0) return noStack(given);
  const prefixOf = ({ stack }: StackSwap, index: number): string =>
    stacks.length === 1 ? '' : `${index + 1}-${stack.replaceAll(/[^A-Za-z0-9-]/g, '-')}-`;
  return {
    notes: [
      'the checks and edits need jq 1.6, the commands AWS CLI 2; a template of more than 51 200 bytes goes by way of S3 (--template-url)',
      ...stacks.flatMap(({ stack, swaps, leave }) => [
        ...swaps.map(({ logicalId, was, is }) => `${stack}: ${logicalId}: ${was} leaves it, and ${is} is imported`),
        ...leave.map((one) => `${stack}: ${one} leaves it, and nothing is imported in its place`),
      ]),
    ],
    steps: stacks.flatMap((one, index) => [look(one, prefixOf(one, index)), ...rounds(one, prefixOf(one, index))]),
    files: stacks.flatMap((one, index) => [...filesOf(one, prefixOf(one, index))]),
  };
}

export const CLOUDFORMATION: HandBackTool = { name: 'cloudformation', title: 'CloudFormation', papers };
