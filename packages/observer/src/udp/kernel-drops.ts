import { readFile } from 'node:fs/promises';

/**
 * Datagrams the kernel threw away because a receive buffer was full: the `drops` column of
 * `/proc/net/udp` (proc_net_udp), summed over sockets bound to this port and this address. `null`
 * where there is no such socket in the table.
 */
export function parseKernelDrops(table: string, port: number, addressHex: string | null): number | null {
  const portHex = port.toString(16).toUpperCase().padStart(4, '0');
  let drops: number | null = null;
  for (const line of table.split('\n').slice(1)) {
    const fields = line.trim().split(/\s+/);
    const [address, boundPort] = (fields[1] ?? '').split(':');
    if (boundPort !== portHex || (addressHex !== null && address !== addressHex)) continue;
    const dropped = Number(fields.at(-1));
    if (Number.isSafeInteger(dropped)) drops = (drops ?? 0) + dropped;
  }
  return drops;
}

/**
 * IPv4 as the kernel prints it: the bytes as one little-endian word. `null` for anything else: then
 * the port alone must do.
 */
export function kernelAddress(address: string): string | null {
  const bytes = address.split('.').map(Number);
  if (bytes.length !== 4 || bytes.some((byte) => !(byte >= 0 && byte <= 255))) return null;
  return bytes
    .toReversed()
    .map((byte) => byte.toString(16).toUpperCase().padStart(2, '0'))
    .join('');
}

/** `null` where it cannot be read (not Linux, no /proc). Never throws. */
export async function readKernelDrops(address: string, port: number): Promise<number | null> {
  const six = address.includes(':');
  try {
    const table = await readFile(six ? '/proc/net/udp6' : '/proc/net/udp', 'utf8');
    return parseKernelDrops(table, port, six ? null : kernelAddress(address));
  } catch {
    return null;
  }
}
