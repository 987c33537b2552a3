import { createServer } from 'node:http';
import { seedInstance } from '@understudy/cloud-sim';
import { ExplainViewSchema, MembersViewSchema } from '@understudy/shared';
import { until } from '@understudy/shared/node';
import { expect, test } from 'vitest';
import type { CoordinatorProcess } from '@understudy/local-cluster';
import { clusterPerTest } from './cluster-per-test.ts';

const now = clusterPerTest();

const explained = async (from: CoordinatorProcess) => {
  const body = await from.json('/v1/members/prod/db1/explain');
  return body === null ? null : ExplainViewSchema.parse(body);
};
const states = async (from: CoordinatorProcess) => {
  const body = await from.json('/v1/members');
  const member = body === null ? undefined : MembersViewSchema.parse(body).members[0];
  return member?.opinions.flatMap(({ service }) => (service ? [`${service.state} ${service.reason}`] : [])).join();
};

test('real coordinators see a real service pass, fail for its clients, and answer for a host without its agent', async () => {
  let status = 200;
  const server = createServer((_, response) => void response.writeHead(status).end());
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  const { sim } = await now.cluster.startCloud();
  const { instanceId } = seedInstance(sim, { member: 'prod/db1', userData: 'x' });
  const serviceProbes = [{ kind: 'http', name: 'health', port, intervalMs: 1_000, timeoutMs: 500, rise: 1, fall: 2 }];
  const policy = { detect: { suspectAfterMs: 2_500, confirmForMs: 1_200, serviceProbes }, guard: { bootGraceMs: 0 } };
  const configs = [
    await now.cluster.config(0, now.etcd.hosts, 2, { policy }),
    await now.cluster.config(1, now.etcd.hosts, 2, { policy }),
  ];
  now.cluster.followMachines();
  const [first] = configs.map(({ path, httpPort }) => now.cluster.start(path, httpPort));
  if (!first) throw new Error('none was started');

  await until('both see it pass', async () => (await states(first)) === 'passing Passing,passing Passing');
  expect((await explained(first))?.degraded).toBe(false);
  status = 503;
  const view = await until('degraded', async () => {
    const latest = await explained(first);
    return latest?.degraded === true ? latest : null;
  });
  expect(view).toMatchObject({ verdict: 'alive', reasonCode: 'ServiceUnreachable', decision: { kind: 'none' } });
  expect(view.reason).toContain('health: HttpStatus 503 at c1, c2');
  expect((await first.get('/metrics'))?.body).toMatch(/understudy_service_probes_total\{outcome="HttpStatus"\} [1-9]/);

  // The service is gone, and the agent with it; the host still refuses connections.
  server.closeAllConnections();
  server.close();
  const agent = now.cluster.agents.get(instanceId);
  now.cluster.agents.delete(instanceId);
  await agent?.stop();
  const held = await until('held', async () => {
    const latest = await explained(first);
    return latest?.hold ? latest : null;
  });
  expect(held).toMatchObject({ verdict: 'suspect', reasonCode: 'ProbeAnswered', hold: { reason: 'ProbeAnswered' } });
});
