import { spawnSync } from 'node:child_process';
import { UNSHARE } from '../faults/lab/private-world.ts';
import { aptSources, SUITE } from './tree/tree.ts';

const TRIAL_LIMIT_MS = 20_000;
/** Tool → Debian package that brings it. */
const TOOLS: Readonly<Record<string, string>> = {
  mmdebstrap: 'mmdebstrap',
  'systemd-nspawn': 'systemd-container',
  ip: 'iproute2',
  nft: 'nftables',
  setpriv: 'util-linux',
  nsenter: 'util-linux',
  unshare: 'util-linux',
};

/**
 * What a machine needs, tried once in a world that vanishes: a named network namespace, a control
 * group, an overlay, and a container of systemd-nspawn in it that runs a program.
 */
const TRIAL = `set -e
mount --make-rshared /
mkdir -p /run/netns /tmp
mount -t tmpfs tmpfs /run/netns
mount -t tmpfs tmpfs /tmp
ip netns add trial
ip link add trial type bridge
for hierarchy in /sys/fs/cgroup/systemd /sys/fs/cgroup; do
  [ -e $hierarchy/cgroup.procs ] || continue
  mkdir -p $hierarchy/understudy-machines-trial
  echo $$ > $hierarchy/understudy-machines-trial/cgroup.procs
  break
done
mkdir -p /tmp/lower/usr /tmp/lower/etc /tmp/upper /tmp/work /tmp/root
for name in bin lib lib64; do ln -s usr/$name /tmp/lower/$name; done
cp /etc/os-release /tmp/lower/etc/
mount -t overlay trial -o lowerdir=/tmp/lower,upperdir=/tmp/upper,workdir=/tmp/work,index=off,metacopy=off /tmp/root
systemd-nspawn --quiet --register=no --keep-unit --console=pipe --resolv-conf=off --timezone=off \\
  --network-namespace-path=/run/netns/trial --directory=/tmp/root --bind-ro=/usr /usr/bin/true`;

const isThere = (tool: string): boolean =>
  spawnSync('sh', ['-c', 'command -v "$0"', tool], { timeout: TRIAL_LIMIT_MS }).status === 0;

/** Why no machines can be booted here, as one sentence. Null when they can. */
export function missingPrerequisite(): string | null {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    return `the machines are Linux on x64 (this is ${process.platform} on ${process.arch}).`;
  if (process.getuid?.() !== 0) return 'booting machines needs root: it makes namespaces, mounts and control groups.';
  if (/[\s:]/.test(import.meta.dirname))
    return 'booting machines needs a path without white space and colon: put the project elsewhere.';
  const absent = Object.keys(TOOLS).filter((tool) => !isThere(tool));
  if (absent.length > 0) {
    const packages = [...new Set(absent.map((tool) => TOOLS[tool]))].join(' ');
    return `booting machines needs ${absent.join(' and ')}, not installed here: apt-get install -y ${packages}.`;
  }
  if (aptSources().length === 0)
    return `apt knows no source of Debian ${SUITE} here, from which the machines are made.`;
  const [command = '', ...args] = UNSHARE;
  const trial = spawnSync(command, [...args, 'sh', '-c', TRIAL], { encoding: 'utf8', timeout: TRIAL_LIMIT_MS });
  if (trial.status === 0) return null;
  const words = (trial.error?.message ?? trial.stderr).trim().split('\n').at(-1) ?? '';
  return `no machine can be booted here (${words}): run it on a machine or a privileged container.`;
}
