import type { CoordinatorConfig } from '@understudy/coordinator';
import {
  type Clock,
  type ErrorCode,
  isOperationError,
  keyFingerprint,
  parseKey,
  placeText,
  type SecretPlace,
  secretPlaceOf,
} from '@understudy/shared';
import { awsRegionOf } from '@understudy/shared/node';

/** What came of reading a key that lies in a store. */
export type StoredKey =
  | { readonly kind: 'read'; readonly place: SecretPlace; readonly fingerprint: string }
  | { readonly kind: 'refused'; readonly place: SecretPlace; readonly code: ErrorCode; readonly text: string };

export interface KeysHost {
  readonly config: CoordinatorConfig;
  readonly clock: Clock;
  readonly environment: NodeJS.ProcessEnv;
}

/** Reads each of them as a coordinator would; only the fingerprint is kept. */
export async function readStoredKeys(host: KeysHost): Promise<ReadonlyMap<string, StoredKey>> {
  const { config, environment } = host;
  const all = config.keys.flatMap((key) => {
    const place = secretPlaceOf(key);
    return place === null ? [] : [{ id: key.id, place }];
  });
  if (all.length === 0) return new Map();
  const { secretReader } = await import('@understudy/coordinator');
  const region = awsRegionOf(config.aws.region, environment);
  const closers: (() => Promise<void> | void)[] = [];
  const read = secretReader({ ...host, region, closers, counting: (send) => send });
  const found = new Map<string, StoredKey>();
  try {
    for (const { id, place } of all) {
      try {
        const fingerprint = keyFingerprint(parseKey(await read(place), placeText(place)), id);
        found.set(placeText(place), { kind: 'read', place, fingerprint });
      } catch (error) {
        if (!isOperationError(error)) throw error;
        found.set(placeText(place), { kind: 'refused', place, code: error.code, text: error.message });
      }
    }
  } finally {
    for (const close of closers) await close();
  }
  return found;
}
