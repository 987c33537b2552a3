import assert from 'node:assert/strict';
import { ledgerIsWhole } from '../cluster/ledger.ts';
import { seconds } from '../report.ts';
import type { Scenario } from '../scenario.ts';

/** Every process dies at once, in the middle of commits; EC2 goes on saying that it runs. */
export const powerCut: Scenario = {
  name: 'power-cut',
  fault: "the member's machine loses its power while rows are written",
  expected: 'fenced and replaced; the replacement has every acknowledged row, and serves',
  run: async (cluster) => {
    const { world, writer, clock } = cluster;
    const old = await cluster.incumbent();
    const before = writer.acknowledged.length;
    assert(before > 0, 'rows were written before');
    const process1 = world.firstProcess(old);
    world.cutPower(old);
    const cutAtMs = clock.monotonicMs();
    assert.notEqual(process1, null, 'it was up');
    assert.equal(world.state(old), 'running', 'EC2 does not know');
    const { instanceId, servedAtMs } = await cluster.replaced(old, cutAtMs + 1_000);
    assert.equal(world.firstProcess(old), null, 'nothing runs on the old machine');
    assert.equal(world.state(old), 'stopped', 'the old machine is fenced');
    return {
      evidence: `process 1 (${process1}) killed after ${before} rows`,
      outcome: `${instanceId} commits after ${seconds(servedAtMs - cutAtMs)}; ${await ledgerIsWhole(cluster, instanceId)}`,
    };
  },
};
