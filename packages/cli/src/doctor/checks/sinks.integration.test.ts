import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CloudSimConfigSchema, startCloudSim } from '@understudy/cloud-sim';
import { silentLog } from '@understudy/shared';
import { SystemClock, SystemRandom } from '@understudy/shared/node';
import { expect, test } from 'vitest';
import type { CoordinatorHost } from '../coordinator-host.ts';
import { sinks } from './sinks.ts';

const TOPIC = (name: string) => `arn:aws:sns:us-east-1:123456789012:${name}`;
const BUS = (name: string) => `arn:aws:events:us-east-1:123456789012:event-bus/${name}`;

test('topics and buses are asked by the real clients; nothing is published, and what is closed is told', async () => {
  const workDir = mkdtempSync(join(tmpdir(), 'doctor-sinks-'));
  const clock = new SystemClock();
  const config = CloudSimConfigSchema.parse({ workDir, speed: 200, http: { port: 0 } });
  const server = await startCloudSim(config, { clock, random: new SystemRandom(), log: silentLog, env: {} });
  const queue = server.sim.queues.make({ name: 'heard' });
  server.sim.topics.make({ name: 'news', subscriptions: [{ queueArn: queue.arn }] });
  const host = {
    ...{ clock, environment: {} },
    config: {
      notify: {
        topics: ['news', 'none'].map((name) => ({ name, arn: TOPIC(name) })),
        eventBuses: ['default', 'none'].map((name) => ({ name, arn: BUS(name) })),
      },
      aws: { endpoint: server.url, region: 'us-east-1', callTimeoutMs: 2_000 },
    },
  } as unknown as CoordinatorHost;
  process.env.AWS_ACCESS_KEY_ID = 'AKIAACCEPTED';
  process.env.AWS_SECRET_ACCESS_KEY = 'secret';
  const found = async () => (await sinks.run(host)).map((one) => one.severity);
  try {
    expect(await found()).toEqual(['ok', 'fault', 'ok', 'fault']);
    expect(queue.bodies()).toEqual([]);
    server.sim.setDeniedActions(['sns:Publish', 'events:PutEvents']);
    const denied = await sinks.run(host);
    expect(denied[0]).toMatchObject({ severity: 'fault', command: `understudy iam-policy --topic ${TOPIC('news')}` });
    expect(denied[2]).toMatchObject({ command: `understudy iam-policy --event-bus ${BUS('default')}` });
  } finally {
    delete process.env.AWS_ACCESS_KEY_ID;
    delete process.env.AWS_SECRET_ACCESS_KEY;
    await server.close();
    rmSync(workDir, { recursive: true });
  }
});
