import type { NormalizedSchema } from '@smithy/core/schema';

/** Schema of one operation, taken from the service model inside the SDK's client. */
export interface OperationSchema {
  /** The action's name with the prefix of its service. */
  readonly action: string;
  readonly input: NormalizedSchema;
  readonly output: NormalizedSchema;
}
