import assert from 'node:assert/strict';
import { until } from '@understudy/shared/node';
import { agentPid, nextAgentActive } from '../cluster/agent.ts';
import { seconds } from '../report.ts';
import type { Scenario } from '../scenario.ts';

/** A longer stop than this would be called a failure of the member. */
const WITHDRAWN_MAX_MS = 15_000;

export const agentKilled: Scenario = {
  name: 'agent-killed',
  fault: 'the agent gets SIGKILL',
  expected: 'PostgreSQL goes on; systemd starts another agent, which withdraws it until it is told active again',
  run: async (cluster) => {
    const { world, writer, clock } = cluster;
    const member = await cluster.incumbent();
    const before = await agentPid(cluster, member);
    const startedAtMs = clock.monotonicMs();
    await world.shell(member, `kill -KILL ${before}`);
    const isGone = async () => (await world.run(member, 'test', '-e', `/proc/${before}`)).code === 1;
    await until('the agent is dead', isGone, 5_000);
    assert.equal(await cluster.serves(member), true, 'PostgreSQL goes on without an agent');
    const after = await nextAgentActive(cluster, member, before);
    const tookMs = clock.monotonicMs() - startedAtMs;
    assert.equal(await cluster.incumbent(), member, 'nobody was replaced');
    const gapMs = writer.longestGapMs(startedAtMs);
    assert(gapMs < WITHDRAWN_MAX_MS, `the writer waited for ${gapMs} ms`);
    return {
      evidence: `process ${before} killed, PostgreSQL still up`,
      outcome: `process ${after} has it active again after ${seconds(tookMs)}; longest wait of the writer ${seconds(gapMs)}`,
    };
  },
};
