import { CHECK_CODES, type CheckReading } from '@understudy/shared';
import { SystemClock, until } from '@understudy/shared/node';
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { AGENT_NODE_FLAGS, bundleAgent } from '../../../scripts/bundle-agent.mjs';
import { openUdpSocket } from './adapters/udp-socket.ts';
import { KEY_HEX, TestCoordinator } from './agent.fixtures.ts';
import { exitOf, nodes, StoppableListener, TestMetadataService } from './agent-process.fixtures.ts';
import { missingForMounts, PrivateMounts } from './checks/private-mounts.fixtures.ts';

const clock = new SystemClock();
const missing = missingForMounts();
const BEAT_MS = 500;
const WATCHED_MS = 12_000;

let bundle = '';
const closing: (() => unknown)[] = [];
beforeAll(async () => {
  bundle = await bundleAgent();
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** Everything an agent checks, on this machine, healthy until {@link hang}. */
async function openFixture() {
  let silent = false;
  const imds = await TestMetadataService.open();
  const listener = await StoppableListener.open();
  const names = createSocket('udp4').on('message', (query, from) => {
    if (silent) return;
    const reply = Buffer.from(query);
    reply.writeUInt16BE(0x8183, 2);
    names.send(reply, from.port, from.address);
  });
  await new Promise<void>((resolve) => names.bind(0, '127.0.0.1', resolve));
  const health = createServer((_request, response) => void (silent || response.end('ok')));
  await new Promise<void>((resolve) => health.listen(0, '127.0.0.1', resolve));
  const mounts = await PrivateMounts.open();
  mounts.script('truncate -s 16M image; mkfs.ext4 -q image; mkdir m; mount -o loop image m');
  const flag = join(mounts.folder, 'hang');
  closing.push(() => {
    imds.close();
    listener.close();
    names.close();
    health.closeAllConnections();
    health.close();
    return mounts.close();
  });
  return {
    imds,
    mounts,
    checks: [
      `  network: { intervalMs: 1000, deadlineMs: 500, gateway: 'tcp:127.0.0.1:${listener.port}', dns: { servers: ['127.0.0.1:${names.address().port}'] } }`,
      '  storage: { intervalMs: 1000, deadlineMs: 500, mounts: [{ path: / }], probeFiles: [/] }',
      '  metadata: { intervalMs: 1000, deadlineMs: 500 }',
      '  custom:',
      `    - { name: hung-command, exec: [/bin/sh, -c, "while [ -e ${flag} ]; do sleep 0.1; done"], intervalMs: 1000, deadlineMs: 800 }`,
      `    - { name: hung-server, http: 'http://127.0.0.1:${(health.address() as AddressInfo).port}/', intervalMs: 1000, deadlineMs: 800 }`,
      `    - { name: stopped-process, tcp: '127.0.0.1:${listener.port}', intervalMs: 1000, deadlineMs: 800 }`,
    ],
    async hang() {
      silent = true;
      imds.silent = true;
      writeFileSync(flag, '');
      await listener.stop();
      mounts.script('fsfreeze -f m');
    },
    letGoOfDisk() {
      rmSync(flag);
      mounts.script('fsfreeze -u m');
    },
  };
}

/**
 * Starts an agent whose own root is the disk that will hang. Returns what its one coordinator
 * hears.
 */
async function startAgent(node: string, fixture: Awaited<ReturnType<typeof openFixture>>) {
  const coordinator = new TestCoordinator(await openUdpSocket({ family: 4, host: '127.0.0.1' }), 'c1');
  const arrivals: number[] = [];
  coordinator.onHeard = () => void arrivals.push(clock.monotonicMs());
  const config = join(fixture.mounts.folder, 'agent.yaml');
  const hook = `[/bin/sh, -c, "echo x >> ${fixture.mounts.path}/hook"]`;
  writeFileSync(
    config,
    [
      'member: shop/db-1',
      `key: { id: 1, hex: ${KEY_HEX} }`,
      `coordinators: ['127.0.0.1:${coordinator.socket.localPort}']`,
      `rootDir: ${fixture.mounts.path}`,
      `heartbeat: { intervalMs: ${BEAT_MS}, jitterRatio: 0 }`,
      'checks:',
      ...fixture.checks,
      `activation: { onActivate: ${hook}, onDeactivate: ${hook} }`,
    ].join('\n'),
  );
  const args = [...AGENT_NODE_FLAGS, bundle, '--config', config, '--imds', fixture.imds.endpoint];
  const [program = '', ...rest] = fixture.mounts.inside([node, ...args]);
  const child = spawn(program, rest, { stdio: ['ignore', 'ignore', 'inherit'] });
  closing.push(async () => {
    child.kill('SIGKILL');
    await coordinator.socket.close();
  });
  return { child, coordinator, arrivals };
}

const shown = (checks: readonly CheckReading[] | undefined): string =>
  [0, 1, 2, 6].map((slot) => `${checks?.[slot]?.status} ${checks?.[slot]?.code}`).join(', ');

function gapsOf(arrivals: readonly number[]) {
  const gaps = arrivals.slice(1).map((at, i) => at - (arrivals[i] ?? 0));
  const sorted = gaps.toSorted((a, b) => a - b).map(Math.round);
  return { count: gaps.length, least: sorted[0] ?? 0, median: sorted[gaps.length >> 1] ?? 0, most: sorted.at(-1) ?? 0 };
}

describe.skipIf(missing !== null)(
  `a bundled agent whose surroundings hang${missing ? ` (skipped: ${missing})` : ''}`,
  () => {
    it.each(nodes())('Node %s: keeps its pace, says what hangs, and recovers', async (major, node) => {
      const fixture = await openFixture();
      const { child, coordinator, arrivals } = await startAgent(node, fixture);
      await until(
        'all checks pass',
        () => shown(coordinator.last?.checks) === 'pass 0, pass 0, pass 0, pass 0',
        15_000,
        20,
      );
      arrivals.length = 0;
      await clock.sleep(WATCHED_MS / 2);
      const before = gapsOf(arrivals);

      await fixture.hang();
      // It is activated now: its file and its hook hang on the disk as well.
      coordinator.reply = { activation: 'active' };
      arrivals.length = 0;
      await clock.sleep(WATCHED_MS);
      const during = gapsOf(arrivals);
      console.log(
        `Node ${major}: ms between heartbeats, well ${JSON.stringify(before)}, hanging ${JSON.stringify(during)}`,
      );
      const { gatewayUnreachable, probeHung, imdsUnreachable, commandFailed } = CHECK_CODES;
      expect(shown(coordinator.last?.checks)).toBe(
        `fail ${gatewayUnreachable}, fail ${probeHung}, fail ${imdsUnreachable}, fail ${commandFailed}`,
      );
      expect(coordinator.last?.checks[1]?.ageSeconds).toBeGreaterThanOrEqual(8);
      expect(during.count).toBeGreaterThanOrEqual(WATCHED_MS / BEAT_MS - 3);
      expect(during.median).toBeLessThan(BEAT_MS * 1.1);
      expect(during.most).toBeLessThan(BEAT_MS * 2);

      fixture.letGoOfDisk();
      await until('the disk passes again', () => coordinator.last?.checks[1]?.status === 'pass', 15_000, 20);
      child.kill('SIGTERM');
      expect(await exitOf(child)).toBe(0);
    });
  },
);
