import { isMap, isScalar, isSeq, type Node, parseDocument } from 'yaml';

/** A template as CloudFormation sees it: short forms (`!Ref x`) in their long ones. */
export interface Template {
  readonly Parameters?: Readonly<Record<string, { readonly Type: string }>>;
  readonly Conditions?: Readonly<Record<string, unknown>>;
  readonly Rules?: Readonly<Record<string, unknown>>;
  readonly Resources: Readonly<Record<string, Resource>>;
  readonly Outputs?: Readonly<Record<string, { readonly Condition?: string; readonly Value?: unknown }>>;
}

export interface Resource {
  readonly Type: string;
  readonly Condition?: string;
  readonly DependsOn?: string | readonly string[];
  readonly Properties?: Readonly<Record<string, unknown>>;
}

const longName = (short: string): string => (short === 'Ref' || short === 'Condition' ? short : `Fn::${short}`);

/** `!GetAtt A.B` names a resource and its attribute. */
const scalarOf = (short: string, value: unknown): unknown => {
  if (short !== 'GetAtt' || typeof value !== 'string') return value;
  const at = value.indexOf('.');
  return [value.slice(0, at), value.slice(at + 1)];
};

function longForm(node: Node | null): unknown {
  const short = node?.tag?.startsWith('!') && !node.tag.startsWith('!!') ? node.tag.slice(1) : null;
  const plain = plainOf(node);
  return short === null ? plain : { [longName(short)]: scalarOf(short, plain) };
}

function plainOf(node: Node | null): unknown {
  if (isMap(node))
    return Object.fromEntries(
      node.items.map(({ key, value }) => [String(isScalar(key) ? key.value : key), longForm(value as Node | null)]),
    );
  if (isSeq(node)) return node.items.map((item) => longForm(item as Node | null));
  return isScalar(node) ? node.value : null;
}

/** @throws Error where it is no YAML */
export function readTemplate(text: string): Template {
  const document = parseDocument(text, { logLevel: 'silent' });
  if (document.errors.length > 0) throw new Error(document.errors.map((error) => error.message).join('\n'));
  return longForm(document.contents) as Template;
}
