import assert from 'node:assert/strict';
import { agentPid, nextAgentActive } from '../cluster/agent.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { seconds } from '../report.ts';
import type { Scenario } from '../scenario.ts';

/** The unit's own minute is longer than a scenario should take. */
const WATCHDOG_S = 8;
const DROP_IN = '/run/systemd/system/understudy-agent.service.d/watchdog.conf';
const SHORTEN = `set -e
mkdir -p $(dirname ${DROP_IN})
printf '[Service]\\nWatchdogSec=${WATCHDOG_S}\\n' > ${DROP_IN}
systemctl daemon-reload
systemctl restart understudy-agent.service`;
const LENGTHEN = `set -e
rm ${DROP_IN}
systemctl daemon-reload
systemctl restart understudy-agent.service`;

async function restarted(cluster: Cluster, member: string, script: string): Promise<string> {
  const before = await agentPid(cluster, member);
  await cluster.world.shell(member, script);
  return nextAgentActive(cluster, member, before);
}

async function strike(cluster: Cluster, member: string) {
  const { world, clock } = cluster;
  const before = await restarted(cluster, member, SHORTEN);
  await world.shell(member, `kill -STOP ${before}`);
  assert.match(await world.shell(member, `cat /proc/${before}/stat`), /\) T /, 'it stands still');
  const stoppedAtMs = clock.monotonicMs();
  assert.equal(await cluster.serves(member), true, 'PostgreSQL goes on');
  const after = await nextAgentActive(cluster, member, before);
  const tookMs = clock.monotonicMs() - stoppedAtMs;
  const said = 'journalctl --no-pager -o cat -u understudy-agent.service | grep "Watchdog timeout" | tail -n 1';
  const words = await world.shell(member, said);
  await restarted(cluster, member, LENGTHEN);
  await cluster.well();
  return { before, after, tookMs, words };
}

export const agentStopped: Scenario = {
  name: 'agent-stopped',
  fault: `the agent gets SIGSTOP, with a watchdog of ${WATCHDOG_S} s; the member is paused`,
  expected: "systemd's watchdog ends it and starts another, which has PostgreSQL active again",
  run: async (cluster) => {
    const member = await cluster.incumbent();
    const seen = await cluster.paused('the agent is stopped', () => strike(cluster, member));
    assert.match(seen.words, /Watchdog timeout/);
    assert.equal(await cluster.incumbent(), member, 'nobody was replaced');
    return {
      evidence: `process ${seen.before} stood still; systemd: "${seen.words}"`,
      outcome: `process ${seen.after} has it active again after ${seconds(seen.tookMs)}`,
    };
  },
};
