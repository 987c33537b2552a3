import assert from 'node:assert/strict';
import { until } from '@understudy/shared/node';
import type { Cluster } from '../cluster/cluster.ts';
import { ledgerIsWhole } from '../cluster/ledger.ts';
import { seconds } from '../report.ts';
import type { Scenario } from '../scenario.ts';

const BOOT_ID = '/proc/sys/kernel/random/boot_id';

/**
 * Whoever reboots pauses the member first: a reboot takes longer than it takes to be called dead.
 */
async function rebooted(cluster: Cluster, member: string, before: string) {
  const { world, clock } = cluster;
  await world.run(member, 'systemctl', 'reboot');
  const another = async () => {
    if (world.firstProcess(member) === null) return null;
    const { code, output } = await world.run(member, 'cat', BOOT_ID);
    return code === 0 && output !== before ? output : null;
  };
  const after = await until('another boot', another, 60_000);
  await world.booted(member);
  const serves = async () => ((await cluster.serves(member)) ? clock.monotonicMs() : null);
  const committedAtMs = await cluster.committedAfter(await until('it serves', serves, 60_000));
  await cluster.well();
  return { after, committedAtMs };
}

export const reboot: Scenario = {
  name: 'reboot',
  fault: 'somebody pauses the member and types reboot on it',
  expected: 'the same instance serves again; user data does not run again',
  run: async (cluster) => {
    const { world, clock } = cluster;
    const member = await cluster.incumbent();
    const before = await world.shell(member, `cat ${BOOT_ID}`);
    const startedAtMs = clock.monotonicMs();
    const { after, committedAtMs } = await cluster.paused('reboot', () => rebooted(cluster, member, before));
    assert.equal(await cluster.incumbent(), member, 'nobody was replaced');
    const runs = await world.shell(
      member,
      "journalctl --no-pager -o cat | grep -c 'understudy: agent .* is installed' || true",
    );
    return {
      evidence: `boot id ${before.slice(0, 8)} → ${after.slice(0, 8)}; user data ran ${runs} time(s) in all`,
      outcome: `commits after ${seconds(committedAtMs - startedAtMs)}; ${await ledgerIsWhole(cluster, member)}`,
    };
  },
};
