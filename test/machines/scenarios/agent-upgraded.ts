import assert from 'node:assert/strict';
import { NEXT_VERSION } from '../cluster/handout.ts';
import { HANDOUT } from '../cluster/seats.ts';
import { seconds } from '../report.ts';
import type { Scenario } from '../scenario.ts';

const RELEASE = 'readlink /usr/lib/understudy/agent';
/** As in docs/packaging.md: unpack, run, forget. */
const INSTALL = `set -e
rm -rf /tmp/next
mkdir /tmp/next
tar -xzf ${HANDOUT}/next/understudy-agent-${NEXT_VERSION}-linux-x64.tar.gz -C /tmp/next --strip-components=1
/tmp/next/install.sh
rm -rf /tmp/next`;

export const agentUpgraded: Scenario = {
  name: 'agent-upgraded',
  fault: 'the tarball of the next version is installed over the agent',
  expected: 'the next version runs with the configuration and state that were there; nobody is replaced',
  run: async (cluster) => {
    const { world, writer, clock } = cluster;
    await cluster.next();
    const member = await cluster.incumbent();
    const before = await world.shell(member, RELEASE);
    const config = await world.shell(member, 'sha256sum /etc/understudy/agent.yaml');
    const startedAtMs = clock.monotonicMs();
    await world.shell(member, INSTALL);
    const after = await world.shell(member, RELEASE);
    assert.notEqual(after, before);
    assert.match(after, new RegExp(`agent-${NEXT_VERSION}-`));
    const exe = await world.shell(member, 'readlink /proc/$(systemctl show -P MainPID understudy-agent.service)/exe');
    assert.match(exe, new RegExp(NEXT_VERSION), 'what runs is the next version');
    const committedAtMs = await cluster.committedAfter(clock.monotonicMs());
    await cluster.well();
    assert.equal(await cluster.incumbent(), member, 'nobody was replaced');
    assert.equal(await world.shell(member, 'sha256sum /etc/understudy/agent.yaml'), config);
    return {
      evidence: `${before} → ${after}`,
      outcome: `commits ${seconds(committedAtMs - startedAtMs)} after the start; longest wait of the writer ${seconds(writer.longestGapMs(startedAtMs))}`,
    };
  },
};
