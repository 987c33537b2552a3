import assert from 'node:assert/strict';
import { until } from '@understudy/shared/node';
import { seconds } from '../report.ts';
import type { Scenario } from '../scenario.ts';

const PID = 'systemctl show --property=MainPID --value understudy-agent.service';
const POSTGRES = 'systemctl show --property=MainPID --value postgresql@15-main.service';

export const agentKilled: Scenario = {
  name: 'agent-killed',
  fault: 'the agent gets SIGKILL',
  expected: 'systemd starts it again; PostgreSQL does not notice',
  run: async (cluster) => {
    const { world, writer, clock } = cluster;
    const member = await cluster.incumbent();
    const [before, postgres] = [await world.shell(member, PID), await world.shell(member, POSTGRES)];
    const startedAtMs = clock.monotonicMs();
    await world.shell(member, `kill -KILL ${before}`);
    const other = async () => {
      const pid = await world.shell(member, PID);
      return pid !== before && pid !== '0' ? pid : null;
    };
    const after = await until('another agent', other, 20_000);
    const restartedMs = clock.monotonicMs() - startedAtMs;
    await cluster.well();
    assert.equal(await world.shell(member, POSTGRES), postgres, 'PostgreSQL is the same process');
    assert.equal(await cluster.incumbent(), member, 'nobody was replaced');
    const gapMs = writer.longestGapMs(startedAtMs);
    assert(gapMs < 3_000, `the writer waited for ${gapMs} ms`);
    return {
      evidence: `process ${before} killed, ${after} runs ${seconds(restartedMs)} later`,
      outcome: `PostgreSQL stayed process ${postgres}; longest wait of the writer ${seconds(gapMs)}`,
    };
  },
};
