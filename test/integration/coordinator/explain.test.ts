import { seedInstance } from '@understudy/cloud-sim';
import { type ExplainView, ExplainViewSchema, StatusViewSchema } from '@understudy/shared';
import { until } from '@understudy/shared/node';
import { expect, test } from 'vitest';
import type { CoordinatorProcess } from '@understudy/local-cluster';
import { clusterPerTest } from './cluster-per-test.ts';
import { understudy } from './coordinator-cluster.ts';

const now = clusterPerTest();

const explained = async (from: CoordinatorProcess): Promise<ExplainView | null> => {
  const body = await from.json('/v1/members/prod/db1/explain');
  return body === null ? null : ExplainViewSchema.parse(body);
};

test('any coordinator explains with what the leader knows; one whose leader is gone says what it does not know', async () => {
  const { sim } = await now.cluster.startCloud();
  seedInstance(sim, { member: 'prod/db1', userData: 'x' });
  const configs = [await now.cluster.config(0, now.etcd.hosts, 2), await now.cluster.config(1, now.etcd.hosts, 2)];
  now.cluster.followMachines();
  const [first, second] = configs.map(({ path, httpPort }) => now.cluster.start(path, httpPort));
  if (!first || !second) throw new Error('two were started');
  await until('alive at both', async () => {
    const views = [await explained(first), await explained(second)];
    return views.every((view) => view?.verdict === 'alive' && view.answeredBy.leader && view.evidence.length >= 5);
  });
  const status = StatusViewSchema.parse(await first.json('/v1/status'));
  const [leader, follower] = status.isLeader ? [first, second] : [second, first];
  const view = await explained(follower);
  expect(view).toMatchObject({ answeredBy: { leader: true }, unknownHere: [], decision: { kind: 'none' } });
  expect(view?.evidence.map((item) => item.source)).toContain('ec2 state');
  expect(view?.gates.length).toBeGreaterThan(10);

  const shown = await understudy('explain', 'prod/db1', '--url', follower.httpUrl);
  expect(shown.out).toContain('verdict    alive (Heard)');
  expect(shown.out).toContain('what would flip it');
  expect(shown.code).toBe(0);
  const json = await understudy('explain', 'prod/db1', '--json', '--url', follower.httpUrl);
  expect(ExplainViewSchema.parse(JSON.parse(json.out)).answeredBy.leader).toBe(true);
  const nobody = await understudy('explain', 'prod/nobody', '--url', follower.httpUrl);
  expect([nobody.code, nobody.out.includes('no member prod/nobody')]).toEqual([1, true]);

  // Stopped, not dead: it holds its connection open and answers nothing.
  leader.signal('SIGSTOP');
  const alone = await explained(follower);
  leader.signal('SIGCONT');
  expect(alone).toMatchObject({ answeredBy: { leader: false }, verdict: 'alive' });
  expect(alone?.unknownHere.length).toBeGreaterThan(0);
});
