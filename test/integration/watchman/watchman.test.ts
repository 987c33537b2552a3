import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { topicOver } from '@understudy/aws';
import { CloudSim, CloudSimConfigSchema, inProcessService, startCloudSim } from '@understudy/cloud-sim';
import { silentLog, type WallMs } from '@understudy/shared';
import { SystemClock } from '@understudy/shared/node';
import { SeededRandom, SimClock } from '@understudy/shared/testing';
import { watchmanModule } from '@understudy/packaging/testing';
import { NOTHING_KEPT, settingsOf, watch } from '@understudy/watchman/testing';
import { describe, expect, test } from 'vitest';
import { ROOT } from '../../unit/tidy/source.ts';

const TOPIC = 'arn:aws:sns:us-east-1:123456789012:alarms';
const QUEUE = 'arn:aws:sqs:us-east-1:123456789012:heard';
const LET_IN = JSON.stringify({
  Statement: [
    { Effect: 'Allow', Principal: { Service: 'sns.amazonaws.com' }, Action: 'sqs:SendMessage', Resource: QUEUE },
  ],
});
const COORDINATORS = ['http://c1:8080', 'http://c2:8080', 'http://c3:8080'];
const environment = (over: Record<string, string> = {}) => ({
  ...{ UNDERSTUDY_COORDINATORS: COORDINATORS.join(','), UNDERSTUDY_TOPIC: TOPIC, ...over },
});

/** The topic that is told, with what a subscriber got. */
function telling(sim: CloudSim) {
  const queue = sim.queues.make({ name: 'heard', policy: LET_IN });
  sim.topics.make({ name: 'alarms', subscriptions: [{ queueArn: queue.arn, isRaw: true }] });
  return () => queue.bodies().map((one) => JSON.parse(one) as Readonly<Record<string, unknown>>);
}

/** A cluster whose coordinators are ready or not, and a watchman who remembers. */
function world(over: Record<string, string> = {}) {
  const clock = new SimClock();
  const sim = new CloudSim({ clock });
  const told = telling(sim);
  const ready = new Set<string>();
  let looks = 0;
  const parts = {
    clock,
    settings: settingsOf(environment(over), clock.wallMs()),
    topic: topicOver({ transport: inProcessService(sim, 'sns'), clock, callTimeoutMs: 1_000, topicArn: TOPIC }),
    ask: async (coordinator: string) => {
      looks += 1;
      return { coordinator, isReady: ready.has(coordinator), text: 'HTTP 503' };
    },
  };
  let memory = NOTHING_KEPT;
  const round = async () => {
    const watched = await clock.runUntilSettled(watch(memory, parts));
    ({ memory } = watched);
    return watched.decision.kind === 'end' ? watched.decision.why : watched.decision.kind;
  };
  return { clock, sim, told, ready, round, looks: () => looks, forget: () => (memory = NOTHING_KEPT) };
}

describe('the watchman', () => {
  test('looks once where one of three coordinators does its work, and tells nobody', async () => {
    const { ready, round, told, looks } = world();
    ready.add('http://c2:8080');
    expect([await round(), looks(), told()]).toEqual(['heard', 3, []]);
  });

  test('raises the alarm after three minutes without one, once, and tells the end', async () => {
    const { clock, ready, round, told } = world();
    const beganAtMs = clock.monotonicMs();
    expect(await round()).toBe('alarm');
    expect(clock.monotonicMs() - beganAtMs).toBeGreaterThanOrEqual(180_000);
    expect(await round()).toBe('told');
    ready.add('http://c1:8080');
    expect([await round(), await round()]).toEqual(['all-clear', 'heard']);
    expect(told().map((one) => one['type'])).toEqual(['cluster.silent', 'cluster.heard']);
    expect(told()[0]).toMatchObject({
      severity: 'critical',
      seen: COORDINATORS.map((coordinator) => ({ coordinator })),
    });
  });

  test('a cluster that comes and goes raises none; neither does one whose silence is planned', async () => {
    const { clock, ready, round, told } = world();
    clock.setTimer(100_000, () => ready.add('http://c3:8080'));
    expect(await round()).toBe('heard');
    const planned = world({ UNDERSTUDY_PLANNED_UNTIL: new Date(clock.wallMs() + 3_600_000).toISOString() });
    expect([await planned.round(), told(), planned.told()]).toEqual(['planned', [], []]);
  });

  test('one that has lost its memory raises the alarm again', async () => {
    const { round, forget, told } = world();
    expect(await round()).toBe('alarm');
    forget();
    expect([await round(), told().length]).toEqual(['alarm', 2]);
  });

  test('a throttled or lost publish is tried again under the same id; one that is refused fails the run', async () => {
    const { sim, round, told } = world();
    sim.addFault({ id: 'throttle', action: 'sns:Publish', kind: 'throttle' });
    sim.addFault({ id: 'lost', action: 'sns:Publish', kind: 'timeout-after-success' });
    expect(await round()).toBe('alarm');
    expect(['throttle', 'lost'].map((id) => sim.fired(id))).toEqual([1, 1]);
    expect(new Set(told().map((one) => one['id'])).size).toBe(1);
    const closed = world();
    closed.sim.setDeniedActions(['sns:Publish']);
    await expect(closed.round()).rejects.toMatchObject({ code: 'CLOUD_DENIED' });
  });

  test('refuses settings under which it could not watch', () => {
    const refused = (over: Record<string, string>) => () => settingsOf(environment(over), 0 as WallMs);
    expect(refused({ UNDERSTUDY_COORDINATORS: '' })).toThrow(/UNDERSTUDY_COORDINATORS/);
    expect(refused({ UNDERSTUDY_TOPIC: 'alarms' })).toThrow(/UNDERSTUDY_TOPIC/);
    expect(refused({ UNDERSTUDY_PLANNED_UNTIL: '1970-01-02T00:00:01Z' })).toThrow(/more than a day ahead/);
  });
});

const listening = (server: Server): Promise<string> =>
  new Promise((resolve) =>
    server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)),
  );

test('the one bundled file: asks over HTTP, is not taken in by a proxy, and publishes by the real client', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'watchman-'));
  const clock = new SystemClock();
  const config = CloudSimConfigSchema.parse({ http: { port: 0 }, speed: 50, workDir: folder });
  const cloud = await startCloudSim(config, { clock, random: new SeededRandom(1), log: silentLog, env: {} });
  const told = telling(cloud.sim);
  const answers = { ready: '<html>', asked: 0 };
  const coordinator = createServer((_, reply) => {
    answers.asked += 1;
    reply.end(answers.ready);
  });
  const url = await listening(coordinator);
  const given: Readonly<Record<string, string>> = {
    ...environment({ UNDERSTUDY_COORDINATORS: url, UNDERSTUDY_SILENT_FOR_MS: '30000' }),
    ...{ AWS_ENDPOINT_URL_SNS: cloud.url, AWS_ACCESS_KEY_ID: 'AKIAACCEPTED', AWS_SECRET_ACCESS_KEY: 'secret' },
  };
  try {
    Object.assign(process.env, given);
    const file = join(folder, 'index.mjs');
    const text = await watchmanModule(ROOT);
    await writeFile(file, text);
    expect(text.length).toBeLessThan(3_000_000);
    const { handler } = (await import(pathToFileURL(file).href)) as { handler: () => Promise<object> };
    expect(await handler()).toMatchObject({ decision: { kind: 'alarm' } });
    expect(answers.asked).toBeGreaterThan(2);
    answers.ready = JSON.stringify({ ready: true, problems: [] });
    expect(await handler()).toMatchObject({ decision: { kind: 'all-clear' } });
    expect(told().map((one) => one['type'])).toEqual(['cluster.silent', 'cluster.heard']);
  } finally {
    for (const name of Object.keys(given)) delete process.env[name];
    coordinator.close();
    await cloud.close();
    await rm(folder, { recursive: true, force: true });
  }
}, 90_000);
