import assert from 'node:assert/strict';
import { until } from '@understudy/shared/node';
import type { Cluster } from '../cluster/cluster.ts';
import { ledgerIsWhole } from '../cluster/ledger.ts';
import { seconds } from '../report.ts';
import type { Scenario } from '../scenario.ts';

const WATCHED_FOR_MS = 12_000;
/** What somebody may type in the wrong moment. Each has to be refused, or to do nothing. */
const WRONG_MOVES = [
  'systemctl restart postgresql',
  'systemctl restart postgresql@15-main',
  'systemctl start understudy-active.target',
  'systemctl --job-mode=ignore-dependencies is-active postgresql@15-main',
  'pg_ctlcluster 15 main start',
] as const;

/** The last instance that was replaced: it is stopped and has the member's tags. */
function predecessorOf({ world }: Cluster, incumbent: string): string {
  const stopped = world.sim.core.region.instances
    .all()
    .filter(
      ({ id, state, tags }) => state === 'stopped' && id !== incumbent && tags['understudy:member'] !== undefined,
    );
  const last = stopped.at(-1);
  assert(last, 'there is a predecessor that is stopped');
  return last.id;
}

export const predecessorReturns: Scenario = {
  name: 'predecessor-returns',
  fault: 'somebody powers the replaced machine on, and restarts PostgreSQL on it again and again',
  expected: 'it never serves, and the replacement goes on undisturbed',
  run: async (cluster) => {
    const { world, writer, clock } = cluster;
    const incumbent = await cluster.incumbent();
    const old = predecessorOf(cluster, incumbent);
    await world.call('StartInstances', { InstanceIds: [old] });
    const startedAtMs = clock.monotonicMs();
    await until('systemd runs', () => world.firstProcess(old) !== null, 60_000);
    let looks = 0;
    const attempts = new Map<string, Set<number | null>>();
    const attack = async () => {
      for (const move of WRONG_MOVES) {
        const { code } = await world.run(old, '/bin/sh', '-c', move);
        attempts.set(move, (attempts.get(move) ?? new Set()).add(code));
        const { output } = await world.run(old, 'pgrep', '-x', '-c', 'postgres');
        assert.equal(output, '0', `PostgreSQL runs on the fenced machine after ${move}`);
        looks += 1;
      }
    };
    // From the first moment of the boot on, before the agent has been told anything.
    while (clock.monotonicMs() < startedAtMs + WATCHED_FOR_MS) await attack();
    const state = await world.booted(old);
    const failed = await world.shell(old, 'systemctl --failed --plain --no-legend | cut -d " " -f 1 | tr "\\n" " "');
    const told = await world.shell(old, 'cat /run/understudy/activation.json');
    assert.match(told, /"state":\s*"(?:fenced|standby)"/);
    assert.equal((await world.run(old, 'test', '-e', '/run/understudy/active')).code, 1);
    assert.equal(await cluster.incumbent(), incumbent, 'the replacement stays the one');
    const gapMs = writer.longestGapMs(startedAtMs);
    assert(gapMs < 3_000, `the writer waited for ${gapMs} ms`);
    for (const [move, codes] of attempts) if (move !== WRONG_MOVES[0]) assert(!codes.has(0), `${move} was not refused`);
    const words = await ledgerIsWhole(cluster, incumbent);
    await world.call('StopInstances', { InstanceIds: [old] });
    await until(`${old} is stopped`, () => world.state(old) === 'stopped', 60_000);
    return {
      evidence: `it booted (${state}${failed === '' ? '' : `: ${failed}`}) and was told ${/"state":\s*"(\w+)"/.exec(told)?.[1]}`,
      outcome: `${looks} attempts to start it refused; longest wait of the writer ${seconds(gapMs)}; ${words}`,
    };
  },
};
