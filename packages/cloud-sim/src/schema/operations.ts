import * as ec2 from '@aws-sdk/client-ec2';
import { NormalizedSchema } from '@smithy/core/schema';

/** Schema of one operation, taken from the service model inside the SDK's client. */
export interface OperationSchema {
  readonly action: string;
  readonly input: NormalizedSchema;
  readonly output: NormalizedSchema;
}

const OPERATION_KIND = 9;
const known = new Map<string, OperationSchema | null>();

function load(action: string): OperationSchema | null {
  const exported = (ec2 as unknown as Readonly<Record<string, unknown>>)[`${action}$`];
  if (!Array.isArray(exported) || exported[0] !== OPERATION_KIND) return null;
  const [, , , , input, output] = exported as [number, string, string, unknown, never, never];
  return { action, input: NormalizedSchema.of(input), output: NormalizedSchema.of(output) };
}

/** `null` for an action EC2 does not have. Cached: at most one entry per operation of the model. */
export function operationSchema(action: string): OperationSchema | null {
  const cached = known.get(action);
  if (cached !== undefined) return cached;
  const loaded = /^[A-Za-z0-9]{1,100}$/.test(action) ? load(action) : null;
  if (loaded) known.set(action, loaded);
  return loaded;
}
