import assert from 'node:assert/strict';
import { seconds } from '../report.ts';
import type { Scenario } from '../scenario.ts';

/** The machines of the cluster have just been launched. This waits until they serve. */
export const firstBoot: Scenario = {
  name: 'first-boot',
  fault: 'none: coordinators and the member boot for the first time, by their user data alone',
  expected: 'the member is enrolled and activated, and only then serves',
  run: async (cluster) => {
    const startedAtMs = cluster.clock.monotonicMs();
    const state = await cluster.world.booted(cluster.firstInstance);
    const bootedAtMs = cluster.clock.monotonicMs();
    const failed = await cluster.world.shell(cluster.firstInstance, 'systemctl --failed --plain --no-legend');
    assert.equal(failed, '', 'no unit failed');
    const uptime = await cluster.world.shell(cluster.firstInstance, 'cloud-init status');
    assert.match(uptime, /status: done/);
    const servedAtMs = await cluster.committedAfter(startedAtMs);
    await cluster.well();
    return {
      evidence: `systemd says ${state} after ${seconds(bootedAtMs - startedAtMs)}, cloud-init done`,
      outcome: `first row committed after ${seconds(servedAtMs - startedAtMs)}`,
    };
  },
};
