import { spawnSync } from 'node:child_process';
import { hash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { textOf } from './generated-parts.ts';
import { readTemplate } from './read-template.ts';

const IP = '10.0.2.10';
const OLD_MEMBER = `old, started, c2, https://${IP}:2380, https://${IP}:2379, false`;
const PACKAGES = { coordinator: 'c.rpm', artefacts: 'a.rpm', etcd: 'etcd.tar.gz' } as const;

/** Counts every step of the script, and is the power cut at step number CUT. */
const STEP = `
step() {
  read -r count < "$BOX/count"
  count=$((count + 1))
  echo "$count" > "$BOX/count"
  if [ "$count" = "\${CUT:-0}" ]; then kill -9 "$BOOT"; exit 137; fi
}
`;

/** What the script calls: AWS, systemd and rpm as it sees them; the rest behind a step. */
const PRELUDE = `
BOOT=$$; export BOOT
. "$BOX/step.sh"
for real in mv chmod mkdir tar rm touch cat; do
  eval "$real() { step; command $real \\"\\$@\\"; }"
done
install() {
  step
  left=$#
  while [ "$left" -gt 0 ]; do
    word=$1; shift; left=$((left - 1))
    case $word in -o | -g) shift; left=$((left - 1)) ;; *) set -- "$@" "$word" ;; esac
  done
  command install "$@"
  step
}
curl() {
  for last in "$@"; do :; done
  case $last in
    */api/token) echo token ;;
    */local-ipv4) echo ${IP} ;;
    */availability-zone) echo eu-central-1b ;;
    *) step; echo "$last" >> "$BOX/fetched"; cp "$BOX/source/\${last##*/}" "$(basename "\${last##*/}")"; step ;;
  esac
}
aws() {
  case $1 in
    secretsmanager) command base64 "$BOX/source/files.tgz" ;;
    ssm) echo yes ;;
  esac
}
dnf() {
  step
  case $1 in
    install) [ -e "$BOX/rpms" ] || { echo torn > "$BOX/rpms"; step; echo whole > "$BOX/rpms"; } ;;
    reinstall) echo whole > "$BOX/rpms" ;;
  esac
  step
}
rpm() { [ "$(command cat "$BOX/rpms")" = whole ]; }
sysusers() { step; [ "$1" != - ] || command cat > /dev/null; }
chown() { step; }
sync() { step; }
sleep() { :; }
systemctl() {
  step
  for last in "$@"; do :; done
  [ "$1" != enable ] || echo "$last" >> "$BOX/enabled"
  case "$*" in *--now*etcd.service) sed -i 's|^\\(.*\\), unstarted, .*${IP}:2380.*|\\1, started, c2, https://${IP}:2380, , false|' "$BOX/cluster" ;; esac
  step
}
`;

/** An etcdctl that knows three members, and loses replies where the power is cut. */
const ETCDCTL = `#!/bin/sh
. "$BOX/step.sh"
step
while [ "$1" != member ]; do shift; done
echo "$2 $3" >> "$BOX/asked"
case $2 in
  list) cat "$BOX/cluster" ;;
  remove) sed -i "/^$3, /d" "$BOX/cluster" ;;
  add) echo "new$(wc -l < "$BOX/asked"), unstarted, , $5, , false" >> "$BOX/cluster" ;;
esac
step
`;

const sha256 = (file: string): string => hash('sha256', readFileSync(file), 'hex');

/** The part of the launch template that user data is in. */
interface Launch {
  readonly Properties: {
    readonly LaunchTemplateData: {
      readonly UserData: { readonly 'Fn::Base64': { readonly 'Fn::Join': [string, [{ 'Fn::Sub': string }, string]] } };
    };
  };
}

/** The user data of the template, with values. */
function userData(values: Readonly<Record<string, string>>): string {
  const launch = readTemplate(textOf('coordinators.yaml')).Resources['CoordinatorLaunch'] as unknown as Launch;
  const [head, script] = launch.Properties.LaunchTemplateData.UserData['Fn::Base64']['Fn::Join'][1];
  const filled = head['Fn::Sub'].replaceAll(/\$\{([\w:]+)\}/g, (_, name: string) => values[name] ?? '');
  return `${filled}${script}`;
}

/** What a host comes to: its files and packages, what starts with it, how the others list it. */
export const outcomeOf = (host: BootSandbox) => ({
  files: host.files(),
  packages: host.read('rpms'),
  enabled: [...new Set(host.read('enabled').split('\n'))].toSorted(),
  cluster: host.read('cluster').replaceAll(/^new\d+/gm, 'new'),
  removed: [...new Set(host.read('asked').match(/^remove .*/gm))],
});

export interface HostOptions {
  /** Parameters of the stack that are not as they are by default. */
  readonly values?: Readonly<Record<string, string>>;
  /** Files of the host's secret beside those that each has. */
  readonly inSecret?: readonly string[];
}

/** A host whose disk is a folder, on which the user data of the template can run and be cut off. */
export class BootSandbox {
  readonly box = mkdtempSync(join(tmpdir(), 'understudy-boot-'));
  readonly disk = join(this.box, 'disk');

  readonly #given: HostOptions;

  constructor(given: HostOptions = {}) {
    this.#given = given;
    for (const folder of ['etc/systemd/system', 'usr/local/sbin', 'usr/local/bin', 'var/lib', 'run'])
      mkdirSync(join(this.disk, folder), { recursive: true });
    this.#write('step.sh', STEP);
    this.#write('cluster', `a, started, c1, , , false\n${OLD_MEMBER}\nb, started, c3, , , false\n`);
    this.#write('asked', '');
    this.#makeSources();
    const text = userData(this.#values());
    if (!text.startsWith('#cloud-boothook\n#!/bin/sh\n')) throw new Error('user data is no boothook of sh');
    const script = text
      .replace('#cloud-boothook\n#!/bin/sh\n', () => `#!/bin/sh\n${PRELUDE}`)
      .replaceAll('systemd-sysusers', 'sysusers')
      .replaceAll(/(?<![\w/:])\/(?=(?:etc|var\/lib|usr\/local|run)\/)/g, `${this.disk}/`);
    this.#write('part-001', script);
    chmodSync(join(this.box, 'part-001'), 0o700);
  }

  remove(): void {
    rmSync(this.box, { recursive: true });
  }

  /** One boot: `/run` is empty, etcd starts if it may, then user data, then systemd's unit. */
  boot(cut = 0): { readonly steps: number; readonly wasCut: boolean; readonly said: string } {
    rmSync(join(this.disk, 'run'), { recursive: true });
    mkdirSync(join(this.disk, 'run'));
    this.#write('count', '0\n');
    let ran = this.#run(join(this.box, 'part-001'), cut);
    if (ran.status === 0 && !this.isDone()) ran = this.#run(join(this.disk, 'usr/local/sbin/understudy-boot'), cut);
    const wasCut = ran.signal === 'SIGKILL';
    if (!wasCut && ran.status !== 0) throw new Error(`the script failed: ${ran.status} ${ran.stdout}${ran.stderr}`);
    return { steps: Number(this.read('count')), wasCut, said: ran.stdout };
  }

  /** systemd starts the unit again after a failure; `/run` stays. */
  restart(): void {
    const ran = this.#run(join(this.disk, 'usr/local/sbin/understudy-boot'), 0);
    if (ran.status !== 0) throw new Error(`the script failed: ${ran.status} ${ran.stdout}${ran.stderr}`);
  }

  isDone = (): boolean => existsSync(join(this.disk, 'var/lib/understudy-booted'));
  read = (file: string): string => readFileSync(join(this.box, file), 'utf8');

  /** Every file of the disk but those of `/run`, with what it holds. */
  files(): Readonly<Record<string, string>> {
    const found = readdirSync(this.disk, { recursive: true, withFileTypes: true })
      .filter((one) => one.isFile() && !one.parentPath.startsWith(join(this.disk, 'run')))
      .map((one) => join(one.parentPath, one.name));
    return Object.fromEntries(
      found
        .toSorted()
        .map((path) => [path.slice(this.disk.length), readFileSync(path, 'utf8').replaceAll(this.box, '')]),
    );
  }

  #values(): Readonly<Record<string, string>> {
    const from = (file: string) => sha256(join(this.box, 'source', file));
    return {
      ...{ ClusterName: 'main', 'AWS::Region': 'eu-central-1', IpA: '10.0.1.10', IpB: IP, IpC: '10.0.3.10' },
      ...{ PackagesUrl: 'https://example.com', SecretPrefix: 'understudy/main', LogDays: '30', EtcdHosts: '' },
      ...{ CoordinatorRpm: PACKAGES.coordinator, CoordinatorSha256: from(PACKAGES.coordinator) },
      ...{ ArtefactsRpm: PACKAGES.artefacts, ArtefactsSha256: from(PACKAGES.artefacts) },
      ...{ EtcdUrl: `https://example.com/${PACKAGES.etcd}`, EtcdSha256: from(PACKAGES.etcd) },
      ...{ Enrolment: 'off', 'AWS::AccountId': '012345678901' },
      ...this.#given.values,
    };
  }

  #makeSources(): void {
    const secret = ['api-ca.pem', 'api.key', 'api.pem', 'etcd-ca.pem', 'etcd-client.key', 'etcd-client.pem'];
    const inSecret = [
      ...secret,
      'etcd-member.key',
      'etcd-member.pem',
      'master.key',
      'tokens.yaml',
      ...(this.#given.inSecret ?? []),
    ];
    for (const file of inSecret) this.#write(`secret/${file}`, `what is in ${file}\n`);
    this.#write('etcd/etcd-v3/etcd', '#!/bin/sh\n');
    this.#write('etcd/etcd-v3/etcdctl', ETCDCTL);
    this.#write(`source/${PACKAGES.coordinator}`, 'coordinator');
    this.#write(`source/${PACKAGES.artefacts}`, 'artefacts');
    spawnSync('tar', ['-czf', join(this.box, 'source/files.tgz'), '-C', join(this.box, 'secret'), '.']);
    spawnSync('tar', [
      '--mtime=@0',
      '-czf',
      join(this.box, 'source', PACKAGES.etcd),
      '-C',
      join(this.box, 'etcd'),
      'etcd-v3',
    ]);
  }

  #run(script: string, cut: number) {
    const env = { ...process.env, BOX: this.box, CUT: String(cut) };
    return spawnSync(script, { env, encoding: 'utf8', timeout: 30_000 });
  }

  #write(file: string, text: string): void {
    mkdirSync(join(this.box, file, '..'), { recursive: true });
    writeFileSync(join(this.box, file), text);
  }
}
