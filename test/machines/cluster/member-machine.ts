import { deriveAgentKey, type MemberId } from '@understudy/shared';
import { stringify } from 'yaml';
import { DATA } from '../world/world.ts';
import { HANDOUT, PORTS, type Seat } from './seats.ts';

export const MEMBER: MemberId = 'shop/db';

function agentConfig(master: Uint8Array, seats: readonly Seat[]): string {
  return stringify({
    member: MEMBER,
    key: { id: 1, hex: Buffer.from(deriveAgentKey(master, 1, MEMBER)).toString('hex') },
    coordinators: seats.map(({ address }) => `${address}:${PORTS.heartbeat}`),
    heartbeat: { intervalMs: 500 },
    checks: {
      network: { gateway: 'none', dns: 'none' },
      storage: { mounts: [{ path: DATA.path }] },
      metadata: { intervalMs: 2_000, deadlineMs: 1_500 },
    },
    activation: { systemdTarget: 'understudy-active.target', timeoutMs: 15_000 },
    log: { level: 'info' },
  });
}

/** How the units of a stock service follow the target (docs/machines.md). */
const DROP_IN = `[Unit]
Requisite=understudy-active.target
PartOf=understudy-active.target
After=understudy-active.target
AssertPathExists=/run/understudy/active
`;

/**
 * The person's own part: PostgreSQL with its data on the data volume, following the target. It may
 * run again, on a disk that has seen it before.
 */
const WORKLOAD = `
drop_in=/etc/systemd/system/postgresql@.service.d/understudy.conf
mkdir -p $(dirname $drop_in)
cat > $drop_in <<'END_OF_FILE'
${DROP_IN}END_OF_FILE
mkdir -p /etc/systemd/system/understudy-active.target.wants
ln -sf /lib/systemd/system/postgresql@.service /etc/systemd/system/understudy-active.target.wants/postgresql@15-main.service
if [ ! -e /etc/postgresql/15/main/postgresql.conf ]; then
  chown postgres: ${DATA.path}
  pg_createcluster --datadir ${DATA.path}/main 15 main -- --no-sync
  echo "listen_addresses = '*'" > /etc/postgresql/15/main/conf.d/network.conf
  echo 'host all all 172.31.0.0/16 trust' >> /etc/postgresql/15/main/pg_hba.conf
fi
systemctl daemon-reload
`;

const AGENT = (master: Uint8Array, seats: readonly Seat[]): string => `
mkdir -p /etc/understudy
(umask 077; cat > /etc/understudy/agent.yaml <<'END_OF_FILE'
${agentConfig(master, seats)}END_OF_FILE
)
rm -rf /tmp/agent; mkdir /tmp/agent
tar -xzf ${HANDOUT}/artefacts/understudy-agent-*-linux-x64.tar.gz -C /tmp/agent --strip-components=1
/tmp/agent/install.sh
rm -rf /tmp/agent
`;

/** The user data of the member's machine. A replacement gets the same. */
export function memberUserData(master: Uint8Array, seats: readonly Seat[]): string {
  return `#!/bin/sh\nset -eux\n${WORKLOAD}${AGENT(master, seats)}`;
}
