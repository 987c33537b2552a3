import type { NormalizedSchema } from '@smithy/core/schema';

/** Schema of one operation, taken from the service model inside the SDK's client. */
export interface OperationSchema {
  /** With the prefix of its service. */
  readonly action: string;
  readonly input: NormalizedSchema;
  readonly output: NormalizedSchema;
}
