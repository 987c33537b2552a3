import type { RemoteKeySource } from '../core/fetched-key.ts';
import { secretsManagerKey } from './secret-value-key.ts';
import { ssmParameterKey } from './ssm-parameter-key.ts';

export interface KeyPlace {
  /** Name or ARN. */
  readonly reference: string;
  readonly region: string;
  /** Null: the service's own, for this Region. */
  readonly endpoint: string | null;
}

/** Reads the text at one place, with the role of this instance. @throws the SDK's error. */
export type FetchKey = (place: KeyPlace) => Promise<string>;

/** Every source outside the instance. A further one is a file beside this and a line here. */
export const KEY_SOURCES: Readonly<Record<RemoteKeySource, FetchKey>> = {
  ssmParameter: ssmParameterKey,
  secretsManager: secretsManagerKey,
};
