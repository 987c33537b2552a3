import { expect, test } from 'vitest';
import { promtool } from '../../monitoring/promtool.ts';
import { ScenarioCluster } from './scenario-cluster.ts';

const DB1 = 'prod/db1';

test('a recovery is counted once by every coordinator, with its duration, and Prometheus likes how all is named', async () => {
  const cluster = new ScenarioCluster();
  const old = cluster.seed(DB1);
  cluster.seed('other/db2', { az: 'us-east-1b' });
  await cluster.up();
  await cluster.clock.advance(1_000);
  const ended = async (outcome: string) =>
    Promise.all(
      cluster.nodes.map(async ({ coordinator }) => {
        const labels = `{group="prod",outcome="${outcome}"}`;
        const text = await coordinator.metrics.text();
        const value = (of: string) =>
          text.split(`understudy_recovery_duration_seconds_${of}${labels} `)[1]?.split('\n')[0];
        return [value('count'), Number(value('sum'))] as const;
      }),
    );
  expect(await ended('replaced')).toEqual(cluster.nodes.map(() => ['0', 0]));
  cluster.crash(old.instanceId);
  await cluster.until('replaced', () => cluster.history(DB1).length > 0, 3_600_000);
  await cluster.clock.advance(5_000);
  const [record] = cluster.history(DB1);
  const seconds = ((record?.endedAtWallMs ?? 0) - (record?.startedAtWallMs ?? 0)) / 1_000;
  expect(seconds).toBeGreaterThan(10);
  expect(await ended('replaced')).toEqual(cluster.nodes.map(() => ['1', seconds]));
  expect(await ended('abandoned')).toEqual(cluster.nodes.map(() => ['0', 0]));
  for (const { coordinator } of cluster.nodes) {
    const lines = (await coordinator.metrics.text()).split('\n');
    expect(lines).toContain(
      'understudy_recovery_strategy_seconds_count{strategy="snapshot-and-replace",outcome="replaced"} 1',
    );
    expect(lines).toContain('understudy_recovery_strategy_seconds_count{strategy="reboot",outcome="mended"} 0');
    expect(lines).toContain(`understudy_recovered_volumes_total{path="snapshot"} ${record?.volumePaths?.length ?? 0}`);
  }
  expect(record?.volumePaths?.length).toBeGreaterThan(0);
  for (const { coordinator } of cluster.nodes) {
    const checked = promtool(['check', 'metrics'], await coordinator.metrics.text());
    // Debian's package `prometheus` brings it; .ci/run installs it.
    if (checked !== null) expect(checked, checked.output).toEqual({ exitCode: 0, output: '' });
  }
});
