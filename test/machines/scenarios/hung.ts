import assert from 'node:assert/strict';
import { ledgerIsWhole } from '../cluster/ledger.ts';
import { seconds } from '../report.ts';
import type { Scenario } from '../scenario.ts';

/** No process of the machine runs any more, while its disks and EC2 say that all is well. */
export const hung: Scenario = {
  name: 'hung',
  fault: "every process of the member's machine stands still (SIGSTOP); EC2 says running",
  expected: 'fenced by a stop that does not ask the guest, then replaced',
  run: async (cluster) => {
    const { world, clock } = cluster;
    const old = await cluster.incumbent();
    const { count } = world.freeze(old);
    const frozenAtMs = clock.monotonicMs();
    assert(count > 10, `${count} processes were stopped`);
    const { instanceId, servedAtMs } = await cluster.replaced(old, frozenAtMs + 1_000);
    assert.equal(world.state(old), 'stopped', 'the old machine is fenced');
    assert.equal(world.firstProcess(old), null, 'and nothing of it is left');
    return {
      evidence: `${count} processes stopped`,
      outcome: `${instanceId} commits after ${seconds(servedAtMs - frozenAtMs)}; ${await ledgerIsWhole(cluster, instanceId)}`,
    };
  },
};
