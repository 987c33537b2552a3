import { fromInstanceMetadata } from '@smithy/credential-provider-imds';
import type { KeyPlace } from './key-place.ts';

const TRY_MS = 5_000;

interface RoleClientConfig {
  readonly region: string;
  readonly endpoint?: string;
  readonly credentials: ReturnType<typeof fromInstanceMetadata>;
  readonly maxAttempts: number;
  readonly requestHandler: { readonly requestTimeout: number; readonly connectionTimeout: number };
}

/**
 * How every client of the SDK is made here: with the role of this instance by IMDSv2, few tries
 * (the agent tries again itself), and limits in time.
 */
export const clientConfig = ({ region, endpoint }: KeyPlace): RoleClientConfig => ({
  region,
  ...(endpoint === null ? {} : { endpoint }),
  credentials: fromInstanceMetadata({ timeout: TRY_MS, maxRetries: 1, ec2MetadataV1Disabled: true }),
  maxAttempts: 2,
  requestHandler: { requestTimeout: TRY_MS, connectionTimeout: TRY_MS },
});
