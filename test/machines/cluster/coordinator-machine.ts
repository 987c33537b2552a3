import { stringify } from 'yaml';
import { ACCESS_KEY, CLOUD_PORT } from '../world/world.ts';
import { REGION } from '../world/region.ts';
import { etcdHosts, HANDOUT, PORTS, type Seat } from './seats.ts';

/**
 * Times are shorter than the defaults, so that a scenario takes seconds; a boot is waited for
 * longer than any takes here.
 */
export function coordinatorConfig(seat: Seat, seats: readonly Seat[], folder = '/etc/understudy'): string {
  const alone = seats.length === 1;
  return stringify({
    id: seat.id,
    az: seat.zone,
    udp: { host: seat.address, port: PORTS.heartbeat },
    http: {
      host: seat.address,
      port: PORTS.http,
      operatorTokenFile: `${folder}/operator.token`,
      artefactsDir: `${HANDOUT}/artefacts`,
      tls: {
        certFile: `${folder}/tls/api/host.pem`,
        keyFile: `${folder}/tls/api/host.key`,
        caFile: `${folder}/tls/api/ca.pem`,
      },
    },
    etcd: {
      hosts: etcdHosts(seats),
      leaseTtlMs: 6_000,
      keepaliveMs: 1_000,
      callTimeoutMs: 1_500,
      tls: {
        caFile: `${folder}/tls/etcd/ca.pem`,
        certFile: `${folder}/tls/etcd/host.pem`,
        keyFile: `${folder}/tls/etcd/host.key`,
      },
    },
    aws: { region: 'us-east-1', endpoint: `http://${REGION.address}:${CLOUD_PORT}`, callTimeoutMs: 3_000 },
    keys: [{ id: 1, file: `${folder}/master.key` }],
    observer: {
      warmUpMs: 4_000,
      heartbeatMs: 1_000,
      ...(alone ? { minimumObservers: 1, minimumZones: 1 } : {}),
    },
    loop: {
      tickMs: 100,
      enrolEveryMs: 1_000,
      evidenceEveryMs: 1_000,
      collectEveryMs: 60_000,
      raiseLevelAfterMs: 20_000,
    },
    guard: { massWindowMs: 5_000, budgetPerMinute: 1_000, budgetBurst: 100 },
    policy: {
      detect: { suspectAfterMs: 3_000, confirmForMs: 1_000 },
      guard: { bootGraceMs: 0, cooldownMs: 0, flapLimit: 100, flapWindowMs: 60_000 },
      // What was replaced stays stopped: a scenario powers it on again.
      recover: { settleMs: 500, verifyTimeoutMs: 120_000, fenceTimeoutMs: 120_000 },
    },
    log: { level: 'info' },
  });
}

const ETCD_UNIT = `[Unit]
After=network-online.target
[Service]
Type=notify
User=etcd
StateDirectory=etcd
EnvironmentFile=/etc/etcd/environment
ExecStart=/usr/local/bin/etcd
Restart=always
[Install]
WantedBy=multi-user.target
`;

function etcdEnvironment(seat: Seat, seats: readonly Seat[]): string {
  const tls = (side: '' | 'PEER_') => ({
    [`ETCD_${side}CERT_FILE`]: '/etc/etcd/tls/host.pem',
    [`ETCD_${side}KEY_FILE`]: '/etc/etcd/tls/host.key',
    [`ETCD_${side}TRUSTED_CA_FILE`]: '/etc/etcd/tls/ca.pem',
    [`ETCD_${side}CLIENT_CERT_AUTH`]: 'true',
  });
  const own = {
    client: `https://${seat.address}:${PORTS.etcdClient}`,
    peer: `https://${seat.address}:${PORTS.etcdPeer}`,
  };
  const variables = {
    ETCD_NAME: seat.id,
    ETCD_DATA_DIR: '/var/lib/etcd/member',
    ETCD_LOG_LEVEL: 'warn',
    ETCD_LISTEN_CLIENT_URLS: own.client,
    ETCD_ADVERTISE_CLIENT_URLS: own.client,
    ETCD_LISTEN_PEER_URLS: own.peer,
    ETCD_INITIAL_ADVERTISE_PEER_URLS: own.peer,
    ETCD_INITIAL_CLUSTER: seats.map(({ id, address }) => `${id}=https://${address}:${PORTS.etcdPeer}`).join(','),
    ETCD_AUTO_COMPACTION_MODE: 'periodic',
    ETCD_AUTO_COMPACTION_RETENTION: '1h',
    ...tls(''),
    ...tls('PEER_'),
  };
  return Object.entries(variables)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}

const file = (path: string, text: string, mode = '644'): string =>
  `mkdir -p $(dirname ${path})\ncat > ${path} <<'END_OF_FILE'\n${text}END_OF_FILE\nchmod ${mode} ${path}\n`;

/**
 * A certificate, its key and its authority for one user, as a configuration tool hands them out.
 */
const secrets = (user: string, folder: string, authority: 'etcd' | 'api', name: string): string => `
install -d -o ${user} -m 750 ${folder}
install -o ${user} -m 600 ${HANDOUT}/pki/${authority}/${name}.key ${folder}/host.key
install -o ${user} -m 644 ${HANDOUT}/pki/${authority}/${name}.pem ${folder}/host.pem
install -o ${user} -m 644 ${HANDOUT}/pki/${authority}/ca.pem ${folder}/ca.pem
`;

/** The user data of a coordinator's machine: etcd with TLS, and the coordinator of the .deb. */
export function coordinatorUserData(seat: Seat, seats: readonly Seat[]): string {
  return `#!/bin/sh
set -eux
useradd --system --home-dir /var/lib/etcd --shell /usr/sbin/nologin etcd
install -m 755 ${HANDOUT}/bin/etcd /usr/local/bin/etcd
${secrets('etcd', '/etc/etcd/tls', 'etcd', `etcd-${seat.id}`)}
${file('/etc/etcd/environment', etcdEnvironment(seat, seats))}
${file('/etc/systemd/system/etcd.service', ETCD_UNIT)}
systemctl daemon-reload
systemctl enable --now --no-block etcd.service

dpkg --install ${HANDOUT}/packages/understudy-coordinator_*.deb
install -d -o understudy -m 750 /etc/understudy/tls
${secrets('understudy', '/etc/understudy/tls/etcd', 'etcd', seat.id)}
${secrets('understudy', '/etc/understudy/tls/api', 'api', seat.id)}
for name in master.key operator.token; do install -o understudy -m 600 ${HANDOUT}/$name /etc/understudy/$name; done
${file('/etc/understudy/coordinator.yaml', coordinatorConfig(seat, seats))}
${file(
  '/etc/systemd/system/understudy-coordinator.service.d/credentials.conf',
  `[Service]\nEnvironment=AWS_ACCESS_KEY_ID=${ACCESS_KEY} AWS_SECRET_ACCESS_KEY=secret\n`,
)}
systemctl daemon-reload
systemctl enable understudy-coordinator.service
systemctl restart --no-block understudy-coordinator.service
`;
}
