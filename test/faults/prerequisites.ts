import { spawnSync } from 'node:child_process';
import { UNSHARE } from './lab/private-world.ts';

const INSTALL = 'apt-get install -y iproute2 nftables';
const TRIAL_LIMIT_MS = 10_000;

const runs = (program: string, args: readonly string[]) => {
  const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8', timeout: TRIAL_LIMIT_MS });
  return { ok: status === 0, words: (error?.message ?? stderr ?? '').trim().split('\n')[0] ?? '' };
};

/**
 * What the lab will do, tried once in a world that vanishes: mounts, a bridge, a named namespace
 * with a veth, forwarding, nft rules of each kind.
 */
const TRIAL = [
  'mount --make-rshared /',
  'mkdir -p /run/netns',
  'mount -t tmpfs tmpfs /run/netns',
  'ip link add trial type bridge',
  'ip netns add trial',
  'ip link add trial0 type veth peer name eth0 netns trial',
  "ip netns exec trial sh -c 'echo 1 > /proc/sys/net/ipv4/ip_forward'",
  'ip netns exec trial nft add table ip trial',
  "ip netns exec trial nft add chain ip trial out '{ type nat hook output priority -100; }'",
  'ip netns exec trial nft add rule ip trial out ip daddr 169.254.169.254 tcp dport 80 counter dnat to 127.0.0.1:80',
  "ip netns exec trial nft add chain ip trial in '{ type filter hook input priority -10; }'",
  'ip netns exec trial nft add rule ip trial in numgen random mod 100 \\< 30 counter drop',
].join(' && ');

/** Why the lab cannot run here, as one sentence. Null when it can. */
export function missingPrerequisite(): string | null {
  if (process.platform !== 'linux') return `the fault lab needs Linux (this is ${process.platform}).`;
  if (process.getuid?.() !== 0) return 'the fault lab needs root: it builds network namespaces, mounts and nft rules.';
  // This is a known limit: the agents of the lab do not come up there, while everything else of the
  // project works.
  if (/\s/.test(import.meta.dirname))
    return 'the fault lab needs a path without white space: put the project elsewhere.';
  const absent = (['ip', 'nft', 'unshare', 'mount'] as const).filter(
    (tool) => !runs(tool, ['--version']).ok && !runs(tool, ['-V']).ok,
  );
  if (absent.length > 0)
    return `the fault lab needs ${absent.join(' and ')}, which is not installed here: ${INSTALL} (util-linux for unshare and mount).`;
  const [command = '', ...args] = UNSHARE;
  const trial = runs(command, [...args, 'sh', '-c', TRIAL]);
  return trial.ok
    ? null
    : `the fault lab may not build namespaces here (${trial.words}): run it on a machine or a privileged container.`;
}
