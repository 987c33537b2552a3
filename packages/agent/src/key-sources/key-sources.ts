import type { RemoteKeySource } from '../core/fetched-key.ts';
import { enrolledKey } from './enrolled-key.ts';
import type { FetchKey } from './key-place.ts';
import { secretsManagerKey } from './secret-value-key.ts';
import { ssmParameterKey } from './ssm-parameter-key.ts';

/** Every source outside the instance. A further one is a file beside this and a line here. */
export const KEY_SOURCES: Readonly<Record<RemoteKeySource, FetchKey>> = {
  ssmParameter: ssmParameterKey,
  secretsManager: secretsManagerKey,
  enrolAt: enrolledKey,
};
