import { NormalizedSchema } from '@smithy/core/schema';
import { SERVICES } from '../services.ts';
import type { OperationSchema } from './operation-schema.ts';

const OPERATION_KIND = 9;
const known = new Map<string, OperationSchema | null>();

/** EC2's actions have no prefix: it comes last, and takes what is nobody else's. */
function load(action: string): OperationSchema | null {
  const service = SERVICES.find(({ prefix }) => action.startsWith(prefix));
  const name = action.slice(service?.prefix.length);
  if (!service || !/^[A-Za-z0-9]{1,100}$/.test(name)) return null;
  const exported = service.model[`${name}$`];
  if (!Array.isArray(exported) || exported[0] !== OPERATION_KIND) return null;
  const [, , , , input, output] = exported as [number, string, string, unknown, never, never];
  return { action, input: NormalizedSchema.of(input), output: NormalizedSchema.of(output) };
}

/**
 * `null` for an action that no service has. Cached: at most one entry per operation of the models.
 */
export function operationSchema(action: string): OperationSchema | null {
  const cached = known.get(action);
  if (cached !== undefined) return cached;
  const loaded = load(action);
  if (loaded) known.set(action, loaded);
  return loaded;
}
