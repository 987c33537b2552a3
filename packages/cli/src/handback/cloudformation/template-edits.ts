import { leaving, type StackSwap } from './stack-swap.ts';

const json = (value: unknown): string => JSON.stringify(value);

/** For `jq -s '.[0] * .[1]'`: whatever leaves the stack is kept. */
export const keepPatch = (swap: StackSwap): object => ({
  Resources: Object.fromEntries(
    leaving(swap).map((logicalId) => [
      logicalId,
      // CloudFormation takes a new policy along with another change only.
      { DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain', Metadata: { UnderstudyHandBack: swap.opId } },
    ]),
  ),
});

/** Reads the template that keeps (first) and the one without (second). */
export const importEdit = ({
  swaps,
}: StackSwap): string => `# The resources back in the template, with what they are now.
${json(Object.fromEntries(swaps.map(({ logicalId, properties }) => [logicalId, properties])))} as $now
| .[0].Resources as $kept
| .[1]
| .Resources += ($now | with_entries(
    .key as $id | .value as $properties
    | .value = ($kept[$id] | reduce ($properties | to_entries[]) as $one (.;
        if .Properties | has($one.key) then .Properties[$one.key] = $one.value else . end))))
`;

/** Reads the same two: the references of before, and the resources as they are now. */
export const referEdit = ({ leave, swaps }: StackSwap): string => `# The references back in the template.
${json(leave)} as $leave
| ${json(swaps.map(({ logicalId }) => logicalId))} as $swapped
| .[1].Resources as $now
| .[0]
| .Resources += ($now | with_entries(select(.key | IN($swapped[]))))
| .Resources |= with_entries(select(.key | IN($leave[]) | not))
`;

export const toImport = ({ swaps }: StackSwap): readonly object[] =>
  swaps.map(({ type, logicalId, identifier }) => ({
    ...{ ResourceType: type, LogicalResourceId: logicalId, ResourceIdentifier: identifier },
  }));

const CHANGES = `[.Changes[]? | .ResourceChange] as $all
| [$all[] | select(.Action == "Modify" and (.Replacement == "True" or .Replacement == "Conditional")) | "\\(.LogicalResourceId) would be replaced"]`;

const END = (said: string): string => `| if length > 0 then error(join("; ")) else "${said}" end
`;

/** A change set may change, and replace nothing. */
export const modifyCheck =
  (): string => `# Reads a change set. It ends with an error where it would do more than change.
${CHANGES} + [$all[] | select(.Action != "Modify") | "\\(.LogicalResourceId): \\(.Action)"]
${END('nothing is removed, replaced or made')}`;

/** It may remove exactly these from the stack, and keeps them. */
export const leaveCheck = (
  swap: StackSwap,
): string => `# Reads a change set. It ends with an error where anything would be deleted or replaced.
${json(leaving(swap))} as $leaving
| ${CHANGES}
+ [$all[] | select(.Action != "Modify" and .Action != "Remove") | "\\(.LogicalResourceId): \\(.Action)"]
+ [$all[] | select(.Action == "Remove" and .PolicyAction != "Retain") | "\\(.LogicalResourceId) would be deleted"]
+ [$all[] | select(.Action == "Remove" and (.LogicalResourceId | IN($leaving[]) | not)) | "\\(.LogicalResourceId) would leave the stack"]
+ ($leaving - [$all[] | select(.Action == "Remove") | .LogicalResourceId] | map("\\(.) would stay in the stack"))
${END('they leave the stack, and are kept')}`;

export const importCheck = (
  swap: StackSwap,
): string => `# Reads a change set. It ends with an error where anything but these is imported.
${json(Object.fromEntries(swap.swaps.map(({ logicalId, is }) => [logicalId, is])))} as $ids
| [.Changes[]? | .ResourceChange] as $all
| [$all[] | select(.Action != "Import") | "\\(.LogicalResourceId): \\(.Action)"]
+ [$all[] | select(.Action == "Import" and ($ids[.LogicalResourceId] != .PhysicalResourceId)) | "\\(.LogicalResourceId) would be \\(.PhysicalResourceId)"]
+ (($ids | keys) - [$all[] | .LogicalResourceId] | map("\\(.) would not be imported"))
${END('they are imported, and nothing else is done')}`;
