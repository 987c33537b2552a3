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

/** @throws SyntaxError where the text is no JSON */
export function readJson(body: string): Record<string, unknown> {
  const parsed: unknown = JSON.parse(body === '' ? '{}' : body);
  return parsed !== null && typeof parsed === 'object' ? { ...parsed } : {};
}

export const writeJsonError = (code: string, message: string): string => JSON.stringify({ __type: code, message });
