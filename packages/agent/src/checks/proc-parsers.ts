/** Text of /proc and /etc files in, values out. Formats: proc(5), route(8), resolv.conf(5). */

export interface DefaultRoute {
  /** Dotted IPv4; null = a default route without a gateway (point to point). */
  readonly gateway: string | null;
  readonly device: string;
}

const ROUTE_UP = 0x1;
const ROUTE_GATEWAY = 0x2;

/** The default route with the lowest metric of /proc/net/route. Null: there is none. */
export function parseDefaultRoute(text: string): DefaultRoute | null {
  let best: (DefaultRoute & { readonly metric: number }) | null = null;
  for (const line of text.split('\n').slice(1)) {
    const [device = '', destination, gateway = '', flagsHex = '', , , metricText, mask] = line.trim().split(/\s+/);
    const flags = Number.parseInt(flagsHex, 16);
    if (destination !== '00000000' || mask !== '00000000' || (flags & ROUTE_UP) === 0) continue;
    const metric = Number(metricText);
    if (best && best.metric <= metric) continue;
    best = { device, metric, gateway: (flags & ROUTE_GATEWAY) !== 0 ? littleEndianIp(gateway) : null };
  }
  return best ? { device: best.device, gateway: best.gateway } : null;
}

function littleEndianIp(hex: string): string {
  const bytes = [6, 4, 2, 0].map((at) => Number.parseInt(hex.slice(at, at + 2), 16));
  return bytes.join('.');
}

const ARP_COMPLETE = 0x2;

/** True when /proc/net/arp has a complete entry for `ip`. */
export function arpComplete(text: string, ip: string): boolean {
  return text.split('\n').some((line) => {
    const [address, , flags = '', hardware] = line.trim().split(/\s+/);
    return address === ip && (Number(flags) & ARP_COMPLETE) !== 0 && hardware !== '00:00:00:00:00:00';
  });
}

export interface MountEntry {
  readonly device: string;
  readonly path: string;
  readonly type: string;
  readonly readOnly: boolean;
}

const unescape = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_all, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));

/**
 * ext4 with `errors=remount-ro` stays `rw` since Linux 6.15 and says `emergency_ro` when it has
 * stopped writing (fs/ext4/super.c).
 */
const READ_ONLY_OPTIONS = new Set(['ro', 'emergency_ro']);

/** Reads /proc/self/mounts, in order. A later entry on the same path hides an earlier one. */
export function parseMounts(text: string): readonly MountEntry[] {
  const entries: MountEntry[] = [];
  for (const line of text.split('\n')) {
    const [device, path, type, options] = line.split(' ');
    if (device === undefined || path === undefined || type === undefined || options === undefined) continue;
    const readOnly = options.split(',').some((option) => READ_ONLY_OPTIONS.has(option));
    entries.push({ device: unescape(device), path: unescape(path), type, readOnly });
  }
  return entries;
}

/** The mount on exactly `path` (the last one wins). */
export const mountAt = (mounts: readonly MountEntry[], path: string): MountEntry | undefined =>
  mounts.findLast((mount) => mount.path === withoutSlash(path));

/** The mount that `path` lies in. */
export function mountHolding(mounts: readonly MountEntry[], path: string): MountEntry | undefined {
  const holds = (mount: MountEntry) =>
    mount.path === '/' || path === mount.path || path.startsWith(`${withoutSlash(mount.path)}/`);
  let best: MountEntry | undefined;
  for (const mount of mounts) if (holds(mount) && mount.path.length >= (best?.path.length ?? 0)) best = mount;
  return best;
}

const withoutSlash = (path: string): string => (path.length > 1 ? path.replace(/\/+$/, '') : path);

/** resolv.conf(5): the resolver uses the first three. */
const NAMESERVERS_MAX = 3;

export function parseNameservers(text: string): readonly string[] {
  const servers: string[] = [];
  for (const line of text.split('\n')) {
    const [keyword, address] = line.trim().split(/\s+/);
    if (keyword === 'nameserver' && address !== undefined) servers.push(address);
  }
  return servers.slice(0, NAMESERVERS_MAX);
}

/**
 * Shares of the last 60 s, in %, in which at least one process waited, or all that had something to
 * do.
 */
export interface PressureShares {
  readonly somePercent: number;
  /** 0 where the kernel does not tell (CPU before Linux 5.13). */
  readonly fullPercent: number;
}

/**
 * Reads one file of /proc/pressure.
 * @throws when it has no line `some` with an `avg60`.
 */
export function parsePressure(text: string): PressureShares {
  const share = (line: string) => new RegExp(`^${line} .*avg60=([\\d.]+)`, 'm').exec(text)?.[1];
  const some = share('some');
  if (some === undefined) throw new Error('no pressure stall information');
  return { somePercent: Number(some), fullPercent: Number(share('full') ?? 0) };
}
