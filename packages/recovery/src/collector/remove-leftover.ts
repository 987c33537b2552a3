import type { Cloud, CloudCallOptions, Leftover } from '@understudy/shared';

/** What a recovery made beside instances and volumes: deleted once nobody needs it. */
export type MadeThing = Exclude<Leftover['kind'], 'instance' | 'volume'>;

/**
 * Sends the deletion. Idempotent: what is gone is CLOUD_NOT_FOUND. @throws as the calls of {@link
 * Cloud} do.
 */
export function removeMade(cloud: Cloud, kind: MadeThing, id: string, options: CloudCallOptions): Promise<void> {
  if (kind === 'image') return cloud.deregisterImage(id, options);
  if (kind === 'snapshot') return cloud.deleteSnapshot(id, options);
  return cloud.deleteNetworkInterface(id, options);
}
