import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deriveAgentKey, type MemberId } from '@understudy/shared';
import { DATA } from '../world/world.ts';
import type { Handout } from './handout.ts';
import { PORTS, type Seat } from './seats.ts';
import { understudy } from './understudy.ts';

const [GROUP, NAME] = ['shop', 'db'];
export const MEMBER: MemberId = `${GROUP}/${NAME}`;
export const WORKLOAD = 'postgresql@15-main.service';

/**
 * The person's own part: PostgreSQL with its data on the data volume. It may run again, on a disk
 * that has seen it before.
 */
const OWN = `#!/bin/sh
set -eux
if [ ! -e /etc/postgresql/15/main/postgresql.conf ]; then
  chown postgres: ${DATA.path}
  pg_createcluster --datadir ${DATA.path}/main 15 main -- --no-sync
  echo "listen_addresses = '*'" > /etc/postgresql/15/main/conf.d/network.conf
  echo 'host all all 172.31.0.0/16 trust' >> /etc/postgresql/15/main/pg_hba.conf
fi
`;

/**
 * The user data of the member's machine: what `understudy user-data` prints, after the person's own
 * part. A replacement gets the same.
 */
export async function memberUserData(handout: Handout, folder: string, seats: readonly Seat[]): Promise<string> {
  const [own, key] = [join(folder, 'own.sh'), join(folder, 'agent.key')];
  writeFileSync(own, OWN);
  writeFileSync(key, `${Buffer.from(deriveAgentKey(handout.master, 1, MEMBER)).toString('hex')}\n`, { mode: 0o600 });
  return understudy(
    ...['user-data', '--group', GROUP, '--member', NAME, '--workload', WORKLOAD],
    ...['--coordinators', seats.map(({ address }) => `${address}:${PORTS.heartbeat}`).join(',')],
    ...['--http-port', String(PORTS.http), '--ca', join(handout.folder, 'pki', 'api', 'ca.pem')],
    ...['--sums', join(handout.folder, 'artefacts', 'SHA256SUMS'), '--key-source', 'embedded', '--key-file', key],
    ...['--format', 'multipart', '--append-to', own],
  );
}
