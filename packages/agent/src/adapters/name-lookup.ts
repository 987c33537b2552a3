import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';

/** Address of a host name by the system's resolver. An address is its own answer. */
export async function lookupAddress(host: string, family: 4 | 6): Promise<string> {
  if (isIP(host) !== 0) return host;
  return (await lookup(host, { family })).address;
}
