import assert from 'node:assert/strict';
import { until } from '@understudy/shared/node';
import { ledgerIsWhole } from '../cluster/ledger.ts';
import { seconds } from '../report.ts';
import type { Scenario } from '../scenario.ts';

const BOOT_ID = '/proc/sys/kernel/random/boot_id';

/** A reboot takes less time here than it takes to be called dead. */
export const reboot: Scenario = {
  name: 'reboot',
  fault: 'somebody types reboot on the member',
  expected: 'the same instance serves again; user data does not run again',
  run: async (cluster) => {
    const { world, clock } = cluster;
    const member = await cluster.incumbent();
    const before = await world.shell(member, `cat ${BOOT_ID}`);
    const startedAtMs = clock.monotonicMs();
    await world.run(member, 'systemctl', 'reboot');
    const another = async () => {
      if (world.firstProcess(member) === null) return null;
      const { code, output } = await world.run(member, 'cat', BOOT_ID);
      return code === 0 && output !== before ? output : null;
    };
    const after = await until('another boot', another, 60_000);
    await world.booted(member);
    const servedAtMs = await until(
      'it serves',
      async () => ((await cluster.serves(member)) ? clock.monotonicMs() : null),
      60_000,
    );
    const committedAtMs = await cluster.committedAfter(servedAtMs);
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
