import { type HandBackDrift, type HandBackResource, OperationError } from '@understudy/shared';
import type { HandBackGiven } from '../tool.ts';
import { IMPORTABLE } from './importable.ts';

/** A resource of a stack that another one takes the place of, under the same name. */
export interface Swap {
  readonly logicalId: string;
  readonly type: string;
  /** What CloudFormation imports it by. */
  readonly identifier: Readonly<Record<string, string>>;
  readonly was: string;
  readonly is: string;
  /** Properties of it that are other ones now. */
  readonly properties: Readonly<Record<string, unknown>>;
}

/** What is to be done about one stack. */
export interface StackSwap {
  readonly stack: string;
  readonly opId: string;
  /** The one that serves: what it is says what was meant by attributes of the other one. */
  readonly instanceId: string;
  readonly swaps: readonly Swap[];
  /** Leave the stack and are kept, without anything in their place. */
  readonly leave: readonly string[];
}

/** What is not in the stack while the successors are imported. */
export const leaving = ({ swaps, leave }: StackSwap): readonly string[] => [
  ...new Set([...swaps.map(({ logicalId }) => logicalId), ...leave]),
];

/** Names as CloudFormation takes them, or its ARN of a stack. */
const STACK = /^(?:[A-Za-z][A-Za-z0-9-]{0,127}|arn:[A-Za-z0-9:/_-]{1,300})$/;
const LOGICAL_ID = /^[A-Za-z0-9]{1,255}$/;

function named(what: string, pattern: RegExp, text: string): string {
  if (pattern.test(text)) return text;
  throw new OperationError('CONFIG_INVALID', `CloudFormation has no ${what} named ${text}`);
}

function madeBy(row: HandBackResource, given: HandBackGiven): HandBackResource['madeBy'] {
  if (row.kind !== 'instance') return row.madeBy;
  const stack = given.stack ?? row.madeBy?.stack;
  const logicalId = given.logicalId ?? row.madeBy?.logicalId;
  return stack === undefined || logicalId === undefined ? null : { stack, logicalId };
}

/** Without what it has no more: a property cannot be imported as nothing. */
const propertiesOf = (drift: readonly HandBackDrift[]): Readonly<Record<string, unknown>> =>
  Object.fromEntries(drift.filter(({ is }) => is !== null).map(({ property, is }) => [property, is]));

function swapOf(row: HandBackResource, logicalId: string, given: HandBackGiven): Swap | null {
  const importable = IMPORTABLE[row.kind];
  if (importable === undefined || row.is === null || row.fate !== 'replaced') return null;
  return {
    ...{ logicalId, type: importable.type, identifier: { [importable.identifier]: row.is }, was: row.was, is: row.is },
    properties: row.kind === 'instance' ? propertiesOf(given.view.drift) : {},
  };
}

/**
 * What is to be done, a stack each. Empty: no stack is known.
 * @throws CONFIG_INVALID: a name that CloudFormation cannot have
 */
export function stackSwaps(given: HandBackGiven): readonly StackSwap[] {
  const opId = given.view.recoveries.at(-1)?.opId ?? '';
  const stacks = new Map<string, { swaps: Swap[]; leave: Set<string> }>();
  const instance = given.view.resources.find(({ kind }) => kind === 'instance');
  const home = instance ? (madeBy(instance, given)?.stack ?? null) : null;
  const of = (stack: string) => {
    const known = stacks.get(stack) ?? { swaps: [], leave: new Set(stack === home ? given.leave : []) };
    stacks.set(stack, known);
    return known;
  };
  for (const row of given.view.resources) {
    const made = madeBy(row, given);
    if (made === null || (row.fate !== 'replaced' && row.fate !== 'left') || row.kind === 'address') continue;
    const stack = of(named('stack', STACK, made.stack));
    const logicalId = named('resource', LOGICAL_ID, made.logicalId);
    const swap = swapOf(row, logicalId, given);
    // A disk that the instance's own template made has the instance's name.
    if (stack.swaps.some((one) => one.logicalId === logicalId)) continue;
    if (swap) stack.swaps.push(swap);
    else stack.leave.add(logicalId);
  }
  return [...stacks].map(([stack, { swaps, leave }]) => ({
    ...{ stack, opId, swaps, instanceId: instance?.is ?? instance?.was ?? '' },
    leave: [...leave].map((one) => named('resource', LOGICAL_ID, one)),
  }));
}
