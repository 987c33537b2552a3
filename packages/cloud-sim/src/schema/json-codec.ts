import { JsonCodec2 } from '@aws-sdk/core/protocols';
import type { NormalizedSchema } from '@smithy/core/schema';
import type { OperationSchema } from './operation-schema.ts';

/** Smithy's number for seconds since the epoch. */
const EPOCH_SECONDS = 7;

/** The JSON 1.1 protocol, by the SDK's own codec. */
const codec = new JsonCodec2({ timestampFormat: { useTrait: true, default: EPOCH_SECONDS }, jsonName: false });

const written = (schema: NormalizedSchema, value: unknown): string => {
  const serializer = codec.createSerializer();
  serializer.write(schema, value);
  const body: string | Uint8Array = serializer.flush();
  return typeof body === 'string' ? body : new TextDecoder().decode(body);
};

export const writeJson = ({ output }: OperationSchema, value: Record<string, unknown>): string =>
  written(output, value);

/** Moments are numbers on the wire, and dates in SDK names. The rest is looked at by the model. */
function withMoments(schema: NormalizedSchema, value: unknown): unknown {
  if (schema.isTimestampSchema() && typeof value === 'number') return new Date(value * 1_000);
  if (schema.isListSchema() && Array.isArray(value))
    return value.map((one) => withMoments(schema.getValueSchema(), one));
  if (!schema.isStructSchema() || typeof value !== 'object' || value === null) return value;
  const members = new Map(schema.structIterator());
  const entries = Object.entries(value).map(([name, one]) => {
    const member = members.get(name);
    return [name, member ? withMoments(member, one) : one] as const;
  });
  return Object.fromEntries(entries);
}

/** @throws SyntaxError where the text is no JSON */
export function readJson({ input }: OperationSchema, body: string): Record<string, unknown> {
  const parsed: unknown = JSON.parse(body === '' ? '{}' : body);
  if (parsed === null || typeof parsed !== 'object') return {};
  return { ...parsed, ...(withMoments(input, parsed) as object) };
}

export const writeJsonError = (code: string, message: string): string => JSON.stringify({ __type: code, message });
