import assert from 'node:assert/strict';
import { until } from '@understudy/shared/node';
import type { Cluster } from '../cluster/cluster.ts';
import { NEXT_VERSION } from '../cluster/handout.ts';
import { HANDOUT, type Seat } from '../cluster/seats.ts';
import { seconds } from '../report.ts';
import type { Scenario } from '../scenario.ts';

interface Status {
  readonly version: string;
  readonly leader: { readonly coordinatorId: string } | null;
}
const POLL_MS = 250;

async function statusOf(cluster: Cluster, seat: Seat): Promise<Status | null> {
  const reply = await cluster.get(seat, '/v1/status');
  return reply?.status === 200 ? (reply.body as Status) : null;
}

const leaderOf = (cluster: Cluster): Promise<string> =>
  until(
    'a leader',
    async () => {
      for (const seat of cluster.seats) {
        const status = await statusOf(cluster, seat);
        if (status?.leader) return status.leader.coordinatorId;
      }
      return null;
    },
    30_000,
  );

/**
 * Looks at the member's verdict through every coordinator that answers, until it is told to end.
 */
function watchVerdicts(cluster: Cluster) {
  const verdicts = new Map<string, number>();
  let ended = false;
  const loop = async () => {
    while (!ended) {
      for (const seat of cluster.seats) {
        const view = await cluster.member(seat);
        if (view !== null) verdicts.set(view.verdict, (verdicts.get(view.verdict) ?? 0) + 1);
      }
      await cluster.clock.sleep(POLL_MS);
    }
  };
  const done = loop();
  const end = async () => {
    ended = true;
    await done;
    return verdicts;
  };
  return { end };
}

async function upgrade(cluster: Cluster, seat: Seat): Promise<void> {
  const machine = cluster.machineOf(seat);
  const config = await cluster.world.shell(machine, 'sha256sum /etc/understudy/coordinator.yaml');
  const deb = `${HANDOUT}/next/understudy-coordinator_${NEXT_VERSION}-1_amd64.deb`;
  await cluster.world.shell(machine, `DEBIAN_FRONTEND=noninteractive dpkg --install ${deb} </dev/null`);
  const isNext = async () => (await statusOf(cluster, seat))?.version === NEXT_VERSION;
  await until(`${seat.id} runs ${NEXT_VERSION}`, isNext, 60_000);
  assert.equal(
    await cluster.world.shell(machine, 'sha256sum /etc/understudy/coordinator.yaml'),
    config,
    'its configuration is kept',
  );
  await cluster.well();
}

export const coordinatorsUpgraded: Scenario = {
  name: 'coordinators-upgraded',
  fault: 'the next .deb is installed on each coordinator in turn, on the leader last',
  expected: 'each runs the next version with its configuration; the member is never judged anything but alive',
  needsThree: true,
  run: async (cluster) => {
    await cluster.next();
    const member = await cluster.incumbent();
    const startedAtMs = cluster.clock.monotonicMs();
    const before = await leaderOf(cluster);
    const watch = watchVerdicts(cluster);
    for (const seat of cluster.seats) if (seat.id !== before) await upgrade(cluster, seat);
    assert.equal(await leaderOf(cluster), before, 'followers come and go without an election');
    for (const seat of cluster.seats) if (seat.id === before) await upgrade(cluster, seat);
    const after = await leaderOf(cluster);
    const verdicts = await watch.end();
    const wrong = [...verdicts.keys()].filter((verdict) => verdict !== 'alive' && verdict !== 'unknown');
    assert.deepEqual(wrong, [], 'a false verdict');
    assert.equal(await cluster.incumbent(), member, 'nobody was replaced');
    const counts = [...verdicts].map(([verdict, count]) => `${count} ${verdict}`).join(', ');
    return {
      evidence: `all three run ${NEXT_VERSION}; the leader was ${before} and is ${after}`,
      outcome: `verdicts seen: ${counts}; longest wait of the writer ${seconds(cluster.writer.longestGapMs(startedAtMs))}`,
    };
  },
};
