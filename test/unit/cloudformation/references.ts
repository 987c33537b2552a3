import type { Template } from './read-template.ts';

/** What references of a template may name. */
export interface Names {
  /** Parameter or resource → whether it is a list. */
  readonly refs: ReadonlyMap<string, 'one' | 'list'>;
  readonly conditions: ReadonlySet<string>;
  /** Condition that a resource is made under. Null: it always is. */
  readonly conditionOf: (resource: string) => string | null;
  /** Attributes of a resource. Null: the type is not known, which is told elsewhere. */
  readonly attributes: (resource: string) => ReadonlySet<string> | null;
}

const PSEUDO = ['AccountId', 'NoValue', 'Partition', 'Region', 'StackId', 'StackName', 'URLSuffix'];

export function refsOf({ Parameters = {}, Resources }: Template): Names['refs'] {
  const parameters = Object.entries(Parameters).map(
    ([name, { Type }]) => [name, /List/.test(Type) ? 'list' : 'one'] as const,
  );
  const resources = Object.keys(Resources).map((name) => [name, 'one'] as const);
  return new Map([...parameters, ...resources, ...PSEUDO.map((name) => [`AWS::${name}`, 'one'] as const)]);
}

export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** `{ Ref: … }`, `{ 'Fn::…': … }`: the function and what it is given. Null: a plain value. */
export function functionIn(value: unknown): readonly [name: string, argument: unknown] | null {
  if (!isRecord(value)) return null;
  const [[name, argument] = ['', null], ...more] = Object.entries(value);
  const isFunction = more.length === 0 && (name === 'Ref' || name === 'Condition' || name.startsWith('Fn::'));
  return isFunction ? [name, argument] : null;
}

function attributeFaults(names: Names, argument: unknown): readonly string[] {
  const [resource = '', attribute = ''] = Array.isArray(argument) ? argument.map(String) : [];
  const known = names.attributes(resource);
  if (known === null) return names.refs.has(resource) ? [] : [`GetAtt of ${resource}, which is no resource`];
  return known.has(attribute) ? [] : [`GetAtt ${resource}.${attribute}: there is no such attribute`];
}

function subFaults(names: Names, argument: unknown): readonly string[] {
  const [text, own] = Array.isArray(argument) ? argument : [argument, {}];
  const used = [...String(text).matchAll(/\$\{([^!}][^}]*)\}/g)].map(([, name = '']) => name);
  return used.flatMap((name) => {
    if (isRecord(own) && Object.hasOwn(own, name)) return [];
    const at = name.indexOf('.');
    if (at > 0) return attributeFaults(names, [name.slice(0, at), name.slice(at + 1)]);
    return names.refs.has(name) ? [] : [`Sub names ${name}, which is nothing`];
  });
}

const FUNCTIONS: ReadonlySet<string> = new Set(
  ['And', 'Base64', 'Equals', 'GetAtt', 'If', 'Join', 'Not', 'Or', 'Select', 'Split', 'Sub'].map(
    (name) => `Fn::${name}`,
  ),
);

function ownFaults(names: Names, name: string, argument: unknown): readonly string[] {
  if (name === 'Ref') return names.refs.has(String(argument)) ? [] : [`Ref of ${String(argument)}, which is nothing`];
  if (name === 'Fn::GetAtt') return attributeFaults(names, argument);
  if (name === 'Fn::Sub') return subFaults(names, argument);
  const condition = name === 'Condition' ? argument : name === 'Fn::If' && Array.isArray(argument) ? argument[0] : null;
  if (condition !== null)
    return names.conditions.has(String(condition)) ? [] : [`there is no condition ${String(condition)}`];
  return FUNCTIONS.has(name) ? [] : [`${name} is no function that is known here`];
}

/** Resources that a function names, whether or not they are there. */
function namedBy(name: string, argument: unknown): readonly string[] {
  if (name === 'Ref') return [String(argument)];
  if (name === 'Fn::GetAtt' && Array.isArray(argument)) return [String(argument[0])];
  if (name !== 'Fn::Sub') return [];
  const text = String(Array.isArray(argument) ? argument[0] : argument);
  return [...text.matchAll(/\$\{([^!}.]+)(?:\.[^}]*)?\}/g)].map(([, one = '']) => one);
}

/** What is only there under a condition must be named only where that one holds. */
const conditionFaults = (names: Names, held: Held, name: string, argument: unknown): readonly string[] =>
  namedBy(name, argument).flatMap((resource) => {
    const condition = names.conditionOf(resource);
    return condition === null || held.has(condition) ? [] : [`${resource} is there only under ${condition}`];
  });

/** Conditions that hold where a value stands. */
type Held = ReadonlySet<string>;

/** Every reference below a value that names nothing, or what may not be there. */
export function referenceFaults(names: Names, value: unknown, path: string, held: Held = new Set()): readonly string[] {
  const called = functionIn(value);
  const [name, argument] = called ?? ['', null];
  const own = called ? [...ownFaults(names, name, argument), ...conditionFaults(names, held, name, argument)] : [];
  const told = own.map((fault) => `${path}: ${fault}`);
  if (name === 'Fn::If' && Array.isArray(argument)) {
    const [condition, then, otherwise] = argument as readonly unknown[];
    const under = new Set([...held, String(condition)]);
    return [
      ...told,
      ...referenceFaults(names, then, `${path}.1`, under),
      ...referenceFaults(names, otherwise, `${path}.2`, held),
    ];
  }
  const below = Array.isArray(value)
    ? value.map((item, index) => [String(index), item] as const)
    : isRecord(value)
      ? Object.entries(value)
      : [];
  return [...told, ...below.flatMap(([key, item]) => referenceFaults(names, item, `${path}.${key}`, held))];
}
