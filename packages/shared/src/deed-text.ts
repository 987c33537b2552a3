import type { Deed } from './records/deed.ts';

/** In a sentence, for people. */
export function deedText(instanceId: string, { action, by, atWallMs, requestId, isOurs }: Deed): string {
  const request = requestId === '' ? '' : `, request ${requestId}`;
  const ours = isOurs ? ', with the client of a coordinator' : '';
  return `${action} of ${instanceId} by ${by} at ${new Date(atWallMs).toISOString()}${request}${ours} (CloudTrail; explains, proves nothing)`;
}
