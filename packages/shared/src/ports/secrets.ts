import type { SecretPlace } from '../secret-place.ts';
import type { CloudCallOptions } from './cloud.ts';

/**
 * Reads the text at one place, as it is now. One implementation (`secretsOver`) over a transport of
 * each store; one contract suite tests it in process and over HTTP.
 *
 * @throws CLOUD_NOT_FOUND: there is none of this name; CLOUD_DENIED: the right to read it, or to
 * use the key that closes it, is missing; CLOUD_REJECTED: it holds no text, or the name is wrong;
 * CLOUD_UNAVAILABLE, CLOUD_THROTTLED: what may pass. No message repeats what was found.
 */
export type ReadSecret = (place: SecretPlace, options?: CloudCallOptions) => Promise<string>;
