import { XmlShapeDeserializer } from '@aws-sdk/core/protocols';
import type { NormalizedSchema } from '@smithy/core/schema';
import { Ec2Error } from '../core/ec2-error.ts';
import type { OperationSchema } from './operation-schema.ts';

const OPERATION_KIND = 9;
const DATE_TIME = 5;
const DEPTH_MAX = 16;

/** An operation by its method and path. */
export interface RestRoute {
  readonly name: string;
  readonly method: string;
  /** Its groups are the labels of the path, by the name of the member. */
  readonly pattern: RegExp;
}

/** `/2013-04-01/change/{Id}` → a pattern with a group `Id`. */
function patternOf(path: string): RegExp {
  const parts = path.split('/').map((part) => {
    const label = /^\{(\w+)\}$/.exec(part)?.[1];
    return label === undefined ? part.replaceAll('.', '\\.') : `(?<${label}>[^/]+)`;
  });
  return new RegExp(`^${parts.join('/')}/?$`);
}

/** Every operation of a service model that has a path. */
export function restRoutesOf(model: Readonly<Record<string, unknown>>): readonly RestRoute[] {
  return Object.entries(model).flatMap(([exported, schema]) => {
    if (!exported.endsWith('$') || !Array.isArray(schema) || schema[0] !== OPERATION_KIND) return [];
    const [, , , traits] = schema as [number, string, string, { readonly http?: readonly [string, string, number] }];
    if (!traits.http) return [];
    return [{ name: exported.slice(0, -1), method: traits.http[0], pattern: patternOf(traits.http[1]) }];
  });
}

interface RestQuestion {
  readonly labels: Readonly<Record<string, string>>;
  readonly searchParams: URLSearchParams;
  readonly body: string;
}

interface MemberTraits {
  readonly httpLabel?: 1;
  readonly httpQuery?: string;
  readonly xmlName?: string;
}

const malformed = (message: string): Ec2Error => new Ec2Error('MalformedInput', message);

/**
 * Method, path, query and body → input in SDK names. The elements of the body have to stand in the
 * order of the model, as the real service wants them.
 * @throws MalformedInput, InvalidParameterValue
 */
export function readRestXml({ input }: OperationSchema, question: RestQuestion): Record<string, unknown> {
  const value: Record<string, unknown> = question.body === '' ? {} : bodyOf(input, question.body);
  for (const [name, member] of input.structIterator()) {
    const traits = member.getMergedTraits() as MemberTraits;
    const text = traits.httpLabel
      ? decodeURIComponent(question.labels[name] ?? '')
      : traits.httpQuery && question.searchParams.get(traits.httpQuery);
    if (typeof text !== 'string') continue;
    value[name] = member.isNumericSchema() ? Number(text) : text;
  }
  return value;
}

function bodyOf(input: NormalizedSchema, body: string): Record<string, unknown> {
  const codec = new XmlShapeDeserializer({
    ...{ timestampFormat: { useTrait: true, default: DATE_TIME }, xmlNamespace: '', serviceNamespace: 'sim' },
    httpBindings: false,
  });
  try {
    const read = codec as unknown as { parseXml(xml: string): unknown };
    const parsed = read.parseXml(body);
    assertOrder(input, parsed, 0);
    return codec.readSchema(input, parsed) as Record<string, unknown>;
  } catch (error) {
    throw error instanceof Ec2Error ? error : malformed('The XML you provided is not well-formed');
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** @throws MalformedInput for an element that is unknown, or that stands before its turn */
function assertOrder(schema: NormalizedSchema, value: unknown, depth: number): void {
  if (depth > DEPTH_MAX) throw malformed('The XML you provided is nested too deeply');
  if (schema.isListSchema()) {
    const item = schema.getValueSchema();
    const name = (item.getMergedTraits() as MemberTraits).xmlName ?? 'member';
    const items = isRecord(value) ? value[name] : undefined;
    for (const one of Array.isArray(items) ? items : [items]) assertOrder(item, one, depth + 1);
    return;
  }
  if (!schema.isStructSchema() || !isRecord(value)) return;
  const members = [...schema.structIterator()].filter(([, one]) => {
    const traits = one.getMergedTraits() as MemberTraits;
    return traits.httpLabel === undefined && traits.httpQuery === undefined;
  });
  let at = 0;
  for (const [element, content] of Object.entries(value)) {
    if (element === 'xmlns') continue;
    const found = members.findIndex(
      ([name, one]) => ((one.getMergedTraits() as MemberTraits).xmlName ?? name) === element,
    );
    const member = members[found]?.[1];
    if (!member || found < at)
      throw malformed(
        `Invalid XML ; cvc-complex-type.2.4.a: Invalid content was found starting with element '${element}'.`,
      );
    at = found;
    assertOrder(member, content, depth + 1);
  }
}
