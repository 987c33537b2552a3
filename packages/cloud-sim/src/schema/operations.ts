import * as ec2 from '@aws-sdk/client-ec2';
import * as kms from '@aws-sdk/client-kms';
import { NormalizedSchema } from '@smithy/core/schema';
import { KMS_PREFIX } from '../core/kms/index.ts';

/** Schema of one operation, taken from the service model inside the SDK's client. */
export interface OperationSchema {
  readonly action: string;
  readonly input: NormalizedSchema;
  readonly output: NormalizedSchema;
}

const OPERATION_KIND = 9;
const known = new Map<string, OperationSchema | null>();

function load(action: string): OperationSchema | null {
  const isKms = action.startsWith(KMS_PREFIX);
  const service = (isKms ? kms : ec2) as unknown as Readonly<Record<string, unknown>>;
  const exported = service[`${isKms ? action.slice(KMS_PREFIX.length) : action}$`];
  if (!Array.isArray(exported) || exported[0] !== OPERATION_KIND) return null;
  const [, , , , input, output] = exported as [number, string, string, unknown, never, never];
  return { action, input: NormalizedSchema.of(input), output: NormalizedSchema.of(output) };
}

/**
 * `null` for an action the service does not have. Cached: at most one entry per operation of the
 * models.
 */
export function operationSchema(action: string): OperationSchema | null {
  const cached = known.get(action);
  if (cached !== undefined) return cached;
  const loaded = /^(?:kms:)?[A-Za-z0-9]{1,100}$/.test(action) ? load(action) : null;
  if (loaded) known.set(action, loaded);
  return loaded;
}
