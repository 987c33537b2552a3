import { Agent, fetch as fetchWithAgent } from 'undici';
import type { TlsFiles } from './cluster.ts';

/**
 * A `fetch` that believes these authorities and shows this certificate. The built-in one takes
 * neither. Without either it is the built-in one.
 */
export function fetchWith(tls: TlsFiles): typeof fetch {
  if (Object.keys(tls).length === 0) return fetch;
  const dispatcher = new Agent({ connect: tls });
  const asked = (url: string | URL, init: object) => fetchWithAgent(url, { ...init, dispatcher });
  return asked as unknown as typeof fetch;
}
