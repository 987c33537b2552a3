import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CloudSimConfigSchema, startCloudSim } from '@understudy/cloud-sim';
import { silentLog } from '@understudy/shared';
import { SystemClock, SystemRandom } from '@understudy/shared/node';
import { expect, test } from 'vitest';
import type { CoordinatorHost } from '../coordinator-host.ts';
import { events } from './events.ts';

test('a queue is asked by the real client, and one that is closed is told as such', async () => {
  const workDir = mkdtempSync(join(tmpdir(), 'doctor-events-'));
  const clock = new SystemClock();
  const config = CloudSimConfigSchema.parse({ workDir, speed: 200, http: { port: 0 } });
  const server = await startCloudSim(config, { clock, random: new SystemRandom(), log: silentLog, env: {} });
  const { url: queueUrl } = server.sim.queues.make({ name: 'events' });
  const host = {
    ...{ clock, environment: {} },
    config: {
      events: { queueUrl, endpoint: server.url, pollStatesEveryMs: 30_000 },
      aws: { region: 'us-east-1', callTimeoutMs: 2_000 },
    },
  } as unknown as CoordinatorHost;
  process.env.AWS_ACCESS_KEY_ID = 'AKIAACCEPTED';
  process.env.AWS_SECRET_ACCESS_KEY = 'secret';
  try {
    expect((await events.run(host)).map((one) => one.severity)).toEqual(['ok', 'warning']);
    server.sim.setDeniedActions(['sqs:GetQueueAttributes']);
    expect((await events.run(host))[0]).toMatchObject({
      severity: 'fault',
      command: expect.stringContaining('iam-policy'),
    });
  } finally {
    delete process.env.AWS_ACCESS_KEY_ID;
    delete process.env.AWS_SECRET_ACCESS_KEY;
    await server.close();
    rmSync(workDir, { recursive: true });
  }
});
