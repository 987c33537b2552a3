import { decodeAck, HEARTBEAT_BYTES, type MemberId, peekFrame } from '@understudy/shared';
import { SystemClock, until } from '@understudy/shared/node';
import { DatagramFlood, RecordingLog, SeededRandom } from '@understudy/shared/testing';
import { afterEach, expect, it } from 'vitest';
import { at, FROM, observer, watched, WireAgent } from '../core/observe.fixtures.ts';
import { HeartbeatListener } from './heartbeat-listener.ts';
import { readKernelDrops } from './kernel-drops.ts';
import { UdpSocket } from './udp-socket.ts';

const AGENTS = 200;
const BEAT_MS = 200;
const FLOOD_MS = 3_500;
/** Recorded before the coordinator's restart; its agent has been silent since. */
const SILENT = 'db/silent' as const;
const members = Array.from({ length: AGENTS }, (_, index): MemberId => `db/m${index}`);
const clock = new SystemClock();
const put: (() => void | Promise<void>)[] = [];

afterEach(async () => {
  for (const away of put.splice(0).toReversed()) await away();
});

/** Fast times, so that a false verdict would have time to happen. */
const roster = [...members, SILENT].map((member) => watched(member, { suspectAfterMs: 1_500, confirmForMs: 1_000 }));
const instanceOf = (member: MemberId) => `i-${member.replace('/', '-')}`;

/**
 * The coordinator's process before the one under fire: what it heard is what the attacker recorded.
 */
function before(agents: readonly WireAgent[]): Uint8Array[] {
  const { table } = observer(roster, {}, 1);
  return agents.flatMap((agent) => {
    agent.greet(table, 0);
    const genuine = Array.from({ length: 3 }, () => agent.beat());
    for (const bytes of genuine) expect(table.receive(bytes, FROM, at(1)).outcome).toBe('recorded');
    return genuine;
  });
}

/** A running coordinator's ears: socket, listener, table, ticks. */
async function coordinator() {
  const log = new RecordingLog();
  const socket = await UdpSocket.open({ host: '127.0.0.1', port: 0 }, log);
  const { table } = observer(roster, { warmUpMs: 0 }, 2, clock.monotonicMs());
  const readDrops = () => readKernelDrops('127.0.0.1', socket.localPort);
  const listener = new HeartbeatListener({ socket, table, clock, log, readDrops });
  listener.start();
  const ticking = setInterval(() => listener.tick(), table.settings.tickMs);
  put.push(async () => {
    clearInterval(ticking);
    await listener.stop();
  });
  return { table, listener, port: socket.localPort };
}

/** All agents behind one socket, each beating on its own turn and echoing what its acks ask. */
async function beating(agents: readonly WireAgent[], port: number) {
  const socket = await UdpSocket.open({ host: '127.0.0.1', port: 0 }, new RecordingLog());
  const byId = new Map(agents.map((agent) => [peekFrame(agent.beat())?.agentId ?? '', agent]));
  const acks = { count: 0 };
  socket.onMessage((payload) => {
    const agent = byId.get(peekFrame(payload)?.agentId ?? '');
    if (!agent || !decodeAck(payload)) return;
    acks.count++;
    agent.hear(payload);
  });
  const sent = { count: 0, last: new Map<MemberId, Uint8Array>() };
  let next = 0;
  const perTurn = Math.ceil(agents.length / (BEAT_MS / 20));
  const timer = setInterval(() => {
    for (let i = 0; i < perTurn; i++) {
      const agent = agents[next++ % agents.length] as WireAgent;
      const bytes = agent.beat();
      sent.count++;
      sent.last.set(agent.member, bytes);
      void socket.send(bytes, { address: '127.0.0.1', port });
    }
  }, 20);
  put.push(async () => {
    clearInterval(timer);
    await socket.close();
  });
  return { sent, acks };
}

/** Forged, cut, stretched and replayed datagrams, and noise. */
function ammunition(recorded: readonly Uint8Array[], genuine: readonly Uint8Array[]): Uint8Array[] {
  const random = new SeededRandom(7);
  const below = (count: number) => Math.floor(random.next() * count);
  const resized = (bytes: Uint8Array, length: number) => {
    const other = new Uint8Array(length);
    other.set(bytes.subarray(0, length));
    return other;
  };
  const forged = genuine.map((bytes) => {
    const changed = bytes.slice();
    changed[36 + below(HEARTBEAT_BYTES - 36)] = below(256);
    changed[HEARTBEAT_BYTES - 1] = (changed[HEARTBEAT_BYTES - 1] ?? 0) ^ 1;
    return changed;
  });
  const cut = genuine.map((bytes) => bytes.slice(0, below(HEARTBEAT_BYTES)));
  const stretched = genuine.map((bytes) => resized(bytes, HEARTBEAT_BYTES + 1 + below(1_300)));
  const noise = genuine.map(() => Uint8Array.from({ length: HEARTBEAT_BYTES }, (_, at) => (at < 3 ? 1 : below(256))));
  const huge = resized(genuine[0] ?? new Uint8Array(0), 65_507);
  const all = [forged, cut, stretched, noise, genuine, recorded, [huge]].flat();
  return all
    .map((bytes) => ({ bytes, order: random.next() }))
    .toSorted((a, b) => a.order - b.order)
    .map(({ bytes }) => bytes);
}

it(`${AGENTS} healthy agents under the heaviest flood one process can send: nothing forged counts, nobody is taken for dead`, async () => {
  const agents = members.map((member) => new WireAgent(member, instanceOf(member)));
  const recorded = before([...agents, new WireAgent(SILENT, instanceOf(SILENT))]);
  const { table, listener, port } = await coordinator();
  const { sent, acks } = await beating(agents, port);
  const verdicts = () => members.map((member) => table.opinion(member)?.verdict ?? 'unknown');
  await until('all are heard', () => verdicts().every((verdict) => verdict === 'alive'), 10_000, 20);

  const [countsBefore, sentBefore] = [{ ...table.counts }, sent.count];
  const flood = new DatagramFlood(port, ammunition(recorded, [...sent.last.values()]));
  put.push(() => flood.stop());
  const worst = { suspect: 0, unknown: 0, dead: 0, abstained: 0, lapsed: 0 };
  let warmRssBytes = 0;
  for (const fromMs = clock.monotonicMs(); clock.monotonicMs() - fromMs < FLOOD_MS; await clock.sleep(50)) {
    for (const one of ['suspect', 'unknown', 'dead'] as const)
      worst[one] = Math.max(worst[one], verdicts().filter((verdict) => verdict === one).length);
    if (table.abstention) worst.abstained++;
    else if (worst.abstained > 0) worst.lapsed++;
    if (warmRssBytes === 0 && clock.monotonicMs() - fromMs > FLOOD_MS / 3) warmRssBytes = process.memoryUsage().rss;
  }
  const grownMiB = (process.memoryUsage().rss - warmRssBytes) / 1_048_576;
  flood.stop();

  const rose = Object.fromEntries(
    Object.entries(table.counts).map(([outcome, count]) => [outcome, count - countsBefore[outcome as 'forged']]),
  );
  const drops = listener.stats().kernelDropsCount ?? 0;
  const genuine = sent.count - sentBefore;
  console.log(
    `flood: ${flood.sentCount} sent in ${FLOOD_MS} ms, ${drops} dropped by the kernel, ${genuine} genuine beside it, ${acks.count} acks; ` +
      `outcomes ${JSON.stringify(rose)}; worst moment ${JSON.stringify(worst)}; RSS ${grownMiB.toFixed(1)} MiB in the last two thirds`,
  );
  // The fault happened.
  expect(flood.sentCount).toBeGreaterThan(20_000);
  for (const outcome of ['malformed', 'unknown-agent', 'forged', 'replayed'] as const)
    expect(rose[outcome]).toBeGreaterThan(100);
  // Nothing counts that an agent did not just send, and what was recorded before the restart
  // revives nobody.
  expect(rose['recorded']).toBeGreaterThan(0);
  expect(table.counts.recorded).toBeLessThanOrEqual(sent.count);
  // … but for those on their way when the counting began.
  expect(rose['recorded']).toBeLessThanOrEqual(genuine + AGENTS);
  expect(table.opinion(SILENT)).toMatchObject({ verdict: 'unknown', reason: 'NeverHeard' });
  expect(table.counts.unconfirmed).toBeGreaterThan(0);
  // Nobody is accused: where the kernel throws genuine heartbeats away, the observer knows it and
  // abstains.
  expect(worst.dead).toBe(0);
  expect(worst.suspect).toBe(0);
  if (drops > 0) expect(worst.abstained).toBeGreaterThan(0);
  expect(grownMiB).toBeLessThan(32);
  // And it is over when it is over.
  await until(
    'all are heard again',
    () => verdicts().every((verdict) => verdict === 'alive') && table.abstention === null,
    10_000,
    20,
  );
});
