import { type Ack, HEARTBEAT_BYTES } from '@understudy/shared';
import { SystemClock, until } from '@understudy/shared/node';
import { DatagramFlood, SeededRandom } from '@understudy/shared/testing';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { AGENT_NODE_FLAGS, bundleAgent } from '../../../scripts/bundle-agent.mjs';
import { openUdpSocket } from './adapters/udp-socket.ts';
import { exitOf, TestMetadataService } from './agent-process.fixtures.ts';
import { KEY_HEX, TestCoordinator } from './agent.fixtures.ts';

const BEAT_MS = 200;
const FLOOD_MS = 2_000;
const clock = new SystemClock();
const put: (() => unknown)[] = [];

afterEach(async () => {
  for (const away of put.splice(0).toReversed()) await away();
});

/**
 * The bundled agent as a process of its own, a coordinator that acks, and everything that went over
 * the wire to the agent.
 */
async function startAgent() {
  const folder = mkdtempSync(join(tmpdir(), 'understudy-hostile-'));
  put.push(() => rmSync(folder, { recursive: true, force: true }));
  const imds = await TestMetadataService.open();
  put.push(() => imds.close());
  const coordinator = new TestCoordinator(await openUdpSocket({ family: 4, host: '127.0.0.1' }), 'c1');
  put.push(() => coordinator.socket.close());
  const config = join(folder, 'agent.yaml');
  const lines = [
    'member: shop/db-1',
    `key: { id: 1, hex: ${KEY_HEX} }`,
    `coordinators: [127.0.0.1:${coordinator.socket.localPort}]`,
    `rootDir: ${folder}`,
    `heartbeat: { intervalMs: ${BEAT_MS} }`,
    'checks: { network: { gateway: none, dns: none } }',
  ];
  writeFileSync(config, lines.join('\n'));
  const args = [...AGENT_NODE_FLAGS, await bundleAgent(), '--config', config, '--imds', imds.endpoint];
  const child: ChildProcess = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  put.push(() => child.kill('SIGKILL'));
  const output = { text: '' };
  child.stdout?.on('data', (bytes: Buffer) => (output.text += bytes.toString()));
  const state = () =>
    (JSON.parse(readFileSync(join(folder, 'run/understudy/activation.json'), 'utf8')) as { state: string }).state;
  return { child, coordinator, output, state };
}

/** Gaps between neighbours, ascending. */
const gapsOf = (atMs: readonly number[]): number[] =>
  atMs
    .slice(1)
    .map((one, index) => one - (atMs[index] ?? one))
    .toSorted((a, b) => a - b);
const median = (gaps: readonly number[]): number => gaps[gaps.length >> 1] ?? Number.NaN;

/**
 * Old acks, acks nobody here sealed, heartbeats come back to their sender, cut and stretched ones,
 * and noise.
 */
function ammunition(coordinator: TestCoordinator, recorded: readonly Uint8Array[]): Uint8Array[] {
  const random = new SeededRandom(5);
  const below = (count: number) => Math.floor(random.next() * count);
  const { last } = coordinator;
  if (!last) throw new Error('nothing was heard');
  const forge = (changes: Partial<Ack>) => coordinator.ackFor(last, changes, () => new Uint8Array(32).fill(below(256)));
  return recorded.flatMap((bytes) => [
    bytes,
    forge({ activation: 'fenced', incarnation: 99, term: 99n, sequence: last.sequence + BigInt(below(40)) }),
    forge({ activation: 'standby', incarnation: 99, term: 99n }),
    bytes.slice(0, below(bytes.length)),
    Uint8Array.from({ length: bytes.length + below(1_300) }, (_, at) => bytes[at] ?? 0),
    Uint8Array.from({ length: HEARTBEAT_BYTES }, (_, at) => (at < 3 ? 1 : below(256))),
  ]);
}

const rssMiB = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? Number.NaN) / 1_024;

it('an agent under a flood of forged and recorded acks stays active and keeps its beat', async () => {
  const { child, coordinator, output, state } = await startAgent();
  const recorded: Uint8Array[] = [];
  const beatsMs: number[] = [];
  coordinator.onHeard = () => {
    beatsMs.push(clock.monotonicMs());
    if (coordinator.lastAck && recorded.length < 64) recorded.push(coordinator.lastAck);
  };
  // An attacker would love to have these believed again: genuine, rightly sealed, and no longer
  // true.
  coordinator.reply = { activation: 'standby', incarnation: 1 };
  await until('acks that say standby', () => recorded.length >= 5, 15_000, 20);
  coordinator.reply = { activation: 'active', incarnation: 2 };
  await until('the agent serves', () => coordinator.last?.flags.serving === true, 15_000, 20);
  await until('beats in peace', () => beatsMs.length >= 15, 15_000, 20);
  const peaceful = gapsOf(beatsMs);

  beatsMs.length = 0;
  const flood = new DatagramFlood(coordinator.lastFrom?.port ?? 0, ammunition(coordinator, recorded));
  put.push(() => flood.stop());
  const states = new Set<string>();
  let warmMiB = 0;
  for (const fromMs = clock.monotonicMs(); clock.monotonicMs() - fromMs < FLOOD_MS; await clock.sleep(100)) {
    states.add(`${state()} ${coordinator.last?.flags.serving}`);
    if (warmMiB === 0 && clock.monotonicMs() - fromMs > FLOOD_MS / 2) warmMiB = rssMiB(child.pid ?? 0);
  }
  const grownMiB = rssMiB(child.pid ?? 0) - warmMiB;
  flood.stop();
  const flooded = gapsOf(beatsMs);
  console.log(
    `agent: ${flood.sentCount} hostile datagrams in ${FLOOD_MS} ms; gap between beats, median under fire ÷ in peace ${(median(flooded) / median(peaceful)).toFixed(2)}, ` +
      `longest ${flooded.at(-1)?.toFixed(0)} ms (interval ${BEAT_MS} ± 10 %); RSS ${grownMiB.toFixed(1)} MiB in the second half`,
  );
  expect(flood.sentCount).toBeGreaterThan(20_000);
  expect(output.text).toContain('datagrams.dropped');
  expect([...states]).toEqual(['active true']);
  expect(output.text.match(/"event":"activation.changed"/g)).toHaveLength(1);
  // Two cores run three busy processes, so a beat may come late. None is left out, and the pace
  // stays.
  expect(median(flooded) / median(peaceful)).toBeLessThan(1.5);
  expect(flooded.at(-1)).toBeLessThan(5 * BEAT_MS);
  expect(coordinator.rejected).toEqual([]);
  expect(grownMiB).toBeLessThan(16);
  child.kill('SIGTERM');
  expect(await exitOf(child)).toBe(0);
});
