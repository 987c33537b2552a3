import { join } from 'node:path';
import { seedInstance } from '@understudy/cloud-sim';
import { deriveAgentKey, type ExplainView, ExplainViewSchema } from '@understudy/shared';
import { until } from '@understudy/shared/node';
import { expect, test } from 'vitest';
import { stringify } from 'yaml';
import type { CoordinatorProcess } from '@understudy/local-cluster';
import { clusterPerTest } from './cluster-per-test.ts';
import { MASTER, understudy } from './coordinator-cluster.ts';

const MEMBER = 'prod/db1';
const AGENT = [process.execPath, '--conditions=source', '--import', 'tsx', join('packages', 'agent', 'src', 'main.ts')];

const now = clusterPerTest();

/** Only the metadata check, often; its coordinator is known before the instance boots. */
const agentConfig = (coordinators: readonly string[]): string => {
  const off = { enabled: false };
  return stringify({
    member: MEMBER,
    key: { id: 1, hex: Buffer.from(deriveAgentKey(MASTER, 1, MEMBER)).toString('hex') },
    coordinators,
    heartbeat: { intervalMs: 200 },
    checks: { network: off, storage: off, pressure: off, clock: off, metadata: { intervalMs: 500, deadlineMs: 400 } },
  });
};

const evidence = async (from: CoordinatorProcess): Promise<ExplainView['evidence']> => {
  const body = await from.json(`/v1/members/${MEMBER}/explain`);
  return body === null ? [] : ExplainViewSchema.parse(body).evidence;
};
const textOf = (items: ExplainView['evidence'], source: string) => items.find((one) => one.source === source)?.text;

test('what EC2 tells the instance alone (Spot, rebalance) and tells everybody (events) reaches explain, through its agent', async () => {
  now.cluster.simulatesAgents = false;
  const cloud = await now.cluster.startCloud({ machine: { command: AGENT } });
  const { path, httpPort, udpPort } = await now.cluster.config(0, now.etcd.hosts, 1);
  const { instanceId } = seedInstance(cloud.sim, {
    member: MEMBER,
    userData: agentConfig([`127.0.0.1:${udpPort}`]),
  });
  const coordinator = now.cluster.start(path, httpPort);
  const tell = async (what: string, body: object) => {
    const request = { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
    const reply = await fetch(`${cloud.url}/_sim/instances/${instanceId}/${what}`, request);
    expect(reply.status).toBe(200);
  };
  await until(
    'heard, nothing announced',
    async () => textOf(await evidence(coordinator), 'agent checks') === 'none fails',
  );
  expect(textOf(await evidence(coordinator), 'instance notice')).toBeUndefined();

  await tell('imds', { spotAction: { action: 'terminate', time: '2026-01-01T00:02:00Z' } });
  await until('Spot', async () =>
    textOf(await evidence(coordinator), 'instance notice')?.includes('this Spot instance back,'),
  );
  expect(textOf(await evidence(coordinator), 'agent check metadata')).toBe('warn, spotNotice');

  await tell('imds', { rebalanceNoticeTime: '2026-01-01T00:00:00Z' });
  await until('rebalance', async () => textOf(await evidence(coordinator), 'instance notice')?.includes('soon'));

  await tell('imds', {});
  const event = {
    code: 'instance-retirement',
    description: 'degraded hardware',
    notBeforeWallMs: Date.UTC(2030, 0, 1),
  };
  await tell('events', { events: [{ ...event, eventId: 'e-1' }] });
  await until('maintenance', async () =>
    textOf(await evidence(coordinator), 'instance notice')?.includes('maintenance'),
  );
  await until('event', async () =>
    textOf(await evidence(coordinator), 'ec2 event')?.includes(
      'instance-retirement, not before 2030-01-01T00:00:00.000Z',
    ),
  );
  const view = ExplainViewSchema.parse(await coordinator.json(`/v1/members/${MEMBER}/explain`));
  expect(view).toMatchObject({ verdict: 'alive', degraded: false, decision: { kind: 'none' } });

  await tell('checks', { failed: ['attached-ebs'] });
  await until('EBS', async () =>
    textOf(await evidence(coordinator), 'ec2 status checks')?.includes('EBS impaired for'),
  );
  const { code, out } = await understudy('explain', MEMBER, '--url', coordinator.httpUrl);
  expect(code).toBe(0);
  expect(out).toMatch(/verdict +alive, degraded \(Degraded\): .*attached EBS: impaired for/);
  expect(out).toMatch(/instance notice +.* EC2 has planned maintenance of this instance/);
  expect(out).toMatch(/ec2 event +.* instance-retirement, not before 2030-01-01/);
  expect(out).toMatch(/MaintenanceWindow +ok +no window planned +outside of maintenance windows/);
});
