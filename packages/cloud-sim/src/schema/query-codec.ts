import type { NormalizedSchema } from '@smithy/core/schema';
import { Ec2Error } from '../core/ec2-error.ts';
import type { OperationSchema } from './operation-schema.ts';

/**
 * A node of the parsed parameters. This file is the inverse of the SDK's QueryShapeSerializer for
 * `aws.protocols#ec2Query`: flat, 1-based lists, and keys by query name.
 */

interface Node {
  text: string | null;
  readonly children: Map<string, Node>;
}

const PARAMETERS_MAX = 10_000;
const DEPTH_MAX = 24;

const emptyNode = (): Node => ({ text: null, children: new Map() });

function plant(root: Node, key: string, text: string): void {
  const parts = key.split('.');
  if (parts.length > DEPTH_MAX) throw new Ec2Error('UnknownParameter', `The parameter ${key} is not recognized`);
  let node = root;
  for (const part of parts) {
    const child = node.children.get(part) ?? emptyNode();
    node.children.set(part, child);
    node = child;
  }
  if (node.text !== null) throw new Ec2Error('MalformedQueryString', `The parameter ${key} is given twice`);
  node.text = text;
}

/**
 * Name of a struct member on the wire: `ec2QueryName`, or else `xmlName`, or its own name with a
 * capital first letter.
 */
function wireName(memberName: string, schema: NormalizedSchema): string {
  const { ec2QueryName, xmlName } = schema.getMergedTraits() as { ec2QueryName?: string; xmlName?: string };
  if (ec2QueryName) return ec2QueryName;
  const name = xmlName ?? memberName;
  return name.charAt(0).toUpperCase() + name.slice(1);
}

/** How one form of the query protocol names members and the items of lists. */
export interface QueryForm {
  readonly nameOf: (memberName: string, schema: NormalizedSchema) => string;
  /** Between the name of a list and the number of an item; null: nothing. */
  readonly listPart: string | null;
}

const EC2_FORM: QueryForm = { nameOf: wireName, listPart: null };

/** `aws.protocols#awsQuery`: members by their own names, lists as `Name.member.1`. */
export const PLAIN_QUERY: QueryForm = {
  nameOf: (memberName, schema) => (schema.getMergedTraits() as { xmlName?: string }).xmlName ?? memberName,
  listPart: 'member',
};

function readStruct(form: QueryForm, schema: NormalizedSchema, node: Node, path: string): Record<string, unknown> {
  if (node.text !== null) throw new Ec2Error('InvalidParameterValue', `The parameter ${path} is a structure`);
  const value: Record<string, unknown> = {};
  const left = new Set(node.children.keys());
  for (const [memberName, member] of schema.structIterator()) {
    const name = form.nameOf(memberName, member);
    const child = node.children.get(name);
    if (!child) continue;
    left.delete(name);
    value[memberName] = readValue(form, member, child, path === '' ? name : `${path}.${name}`);
  }
  const [unknown] = left;
  if (unknown !== undefined) {
    const full = path === '' ? unknown : `${path}.${unknown}`;
    throw new Ec2Error('UnknownParameter', `The parameter ${full} is not recognized`);
  }
  return value;
}

function readList(form: QueryForm, schema: NormalizedSchema, list: Node, path: string): unknown[] {
  const node = form.listPart === null ? list : itemsBelow(list, form.listPart, path);
  const items = [...node.children].map(([key, child]) => {
    if (!/^[1-9]\d{0,5}$/.test(key))
      throw new Ec2Error('UnknownParameter', `The parameter ${path}.${key} is not recognized`);
    return { index: Number(key), child };
  });
  items.sort((a, b) => a.index - b.index);
  return items.map(({ index, child }) => readValue(form, schema.getValueSchema(), child, `${path}.${index}`));
}

/** An empty list is sent as `Name=`. */
function itemsBelow(list: Node, part: string, path: string): Node {
  const [unknown] = [...list.children.keys()].filter((key) => key !== part);
  if (unknown !== undefined)
    throw new Ec2Error('UnknownParameter', `The parameter ${path}.${unknown} is not recognized`);
  return list.children.get(part) ?? emptyNode();
}

/** `Name.entry.1.key` and `Name.entry.1.value`, or as the model names them. */
function readMap(form: QueryForm, schema: NormalizedSchema, map: Node, path: string): Record<string, unknown> {
  const [keySchema, valueSchema] = [schema.getKeySchema(), schema.getValueSchema()];
  const nameOf = (one: NormalizedSchema, usual: string) =>
    (one.getMergedTraits() as { xmlName?: string }).xmlName ?? usual;
  const [keyName, valueName] = [nameOf(keySchema, 'key'), nameOf(valueSchema, 'value')];
  const entries = [...itemsBelow(map, 'entry', path).children].map(([number, { children }]) => {
    const here = `${path}.entry.${number}`;
    const [key, value] = [children.get(keyName), children.get(valueName)];
    if (key?.text === undefined || key.text === null || !value || children.size !== 2 || !/^[1-9]\d{0,5}$/.test(number))
      throw new Ec2Error('UnknownParameter', `The parameter ${here} is not recognized`);
    return [key.text, readValue(form, valueSchema, value, `${here}.${valueName}`)] as const;
  });
  return Object.fromEntries(entries);
}

function readScalar(schema: NormalizedSchema, text: string, path: string): unknown {
  const invalid = () => new Ec2Error('InvalidParameterValue', `Invalid value '${text}' for parameter ${path}`);
  if (schema.isBooleanSchema()) {
    if (text !== 'true' && text !== 'false') throw invalid();
    return text === 'true';
  }
  if (schema.isNumericSchema()) {
    const number = Number(text);
    if (text.trim() === '' || !Number.isFinite(number)) throw invalid();
    return number;
  }
  if (schema.isTimestampSchema()) {
    const moment = new Date(text);
    if (Number.isNaN(moment.getTime())) throw invalid();
    return moment;
  }
  if (schema.isBlobSchema()) return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  return text;
}

function readValue(form: QueryForm, schema: NormalizedSchema, node: Node, path: string): unknown {
  if (schema.isStructSchema()) return readStruct(form, schema, node, path);
  if (schema.isListSchema()) return readList(form, schema, node, path);
  if (schema.isMapSchema()) return readMap(form, schema, node, path);
  if (node.children.size > 0 || node.text === null) {
    const child = node.children.keys().next().value ?? '';
    throw new Ec2Error('UnknownParameter', `The parameter ${path}.${child} is not recognized`);
  }
  return readScalar(schema, node.text, path);
}

/**
 * Form parameters → input in SDK names. @throws UnknownParameter, InvalidParameterValue,
 * MalformedQueryString
 */
export function readQuery(
  operation: OperationSchema,
  parameters: URLSearchParams,
  form: QueryForm = EC2_FORM,
): Record<string, unknown> {
  const root = emptyNode();
  let count = 0;
  for (const [key, text] of parameters) {
    if (++count > PARAMETERS_MAX) throw new Ec2Error('MalformedQueryString', `More than ${PARAMETERS_MAX} parameters`);
    if (key !== 'Action' && key !== 'Version') plant(root, key, text);
  }
  return readStruct(form, operation.input, root, '');
}
