import assert from 'node:assert/strict';
import type { Cluster } from '../cluster/cluster.ts';
import { ledgerIsWhole } from '../cluster/ledger.ts';
import { HANDOUT } from '../cluster/seats.ts';
import { seconds } from '../report.ts';
import type { Scenario } from '../scenario.ts';

const INSTALL = `set -e
rm -rf /tmp/agent
mkdir /tmp/agent
tar -xzf ${HANDOUT}/artefacts/understudy-agent-*-linux-x64.tar.gz -C /tmp/agent --strip-components=1
/tmp/agent/install.sh
rm -rf /tmp/agent`;
const KEPT = 'sha256sum /etc/understudy/agent.yaml; ls /var/lib/understudy | grep -v lock | sort';

async function uninstalled(cluster: Cluster, member: string): Promise<string> {
  const { world } = cluster;
  const before = await world.shell(member, KEPT);
  await world.shell(member, '/usr/lib/understudy/agent/install.sh --uninstall');
  const { output } = await world.run(member, 'systemctl', 'show', '-P', 'LoadState', 'understudy-agent.service');
  assert.equal(output, 'not-found');
  assert.equal((await world.run(member, 'test', '-e', '/usr/lib/understudy/agent')).code, 1);
  assert.equal((await world.run(member, 'pgrep', '-f', 'understudy-agent.cjs')).code, 1, 'no agent is left');
  assert.equal(await world.shell(member, KEPT), before, 'configuration, key and state are left');
  // It can no longer be told that it is fenced.
  assert.equal(await cluster.serves(member), false, 'PostgreSQL was stopped with the agent');
  return before.split('\n').slice(1).join(', ');
}

export const agentUninstalled: Scenario = {
  name: 'agent-uninstalled',
  fault: 'the member is paused and its agent is uninstalled, then installed again',
  expected: 'nothing of it runs, PostgreSQL is stopped, configuration and state are left; then all is as before',
  run: async (cluster) => {
    const { world, clock } = cluster;
    const member = await cluster.incumbent();
    const startedAtMs = clock.monotonicMs();
    const { state, committedAtMs } = await cluster.paused('the agent is uninstalled', async () => {
      const left = await uninstalled(cluster, member);
      await world.shell(member, INSTALL);
      const moment = await cluster.committedAfter(clock.monotonicMs());
      await cluster.well();
      return { state: left, committedAtMs: moment };
    });
    assert.equal(await cluster.incumbent(), member, 'nobody was replaced');
    return {
      evidence: `unit and program gone, no process left; in /var/lib/understudy: ${state}`,
      outcome: `commits again after ${seconds(committedAtMs - startedAtMs)}; ${await ledgerIsWhole(cluster, member)}`,
    };
  },
};
