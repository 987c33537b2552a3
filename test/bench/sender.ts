import { createSocket } from 'node:dgram';
import { HEARTBEAT_BYTES } from '@understudy/shared';
import { HeartbeatSource, MARK_BYTES } from './heartbeat-source.ts';

/**
 * The sending process of the ingest benchmark. It takes messages from the parent. `prepare` makes
 * datagrams ahead of time. `send` sends them (as fast as it can, or at a rate) to a port, then
 * answers with how many went out and how long it took.
 */
export type SenderCommand =
  | { readonly kind: 'agents'; readonly challenges: readonly string[] }
  | { readonly kind: 'prepare'; readonly count: number }
  | {
      readonly kind: 'send';
      readonly port: number;
      readonly perSecond: number | null;
      /**
       * How often a datagram of {@link MARK_BYTES} is sent between the heartbeats. It holds the
       * moment it was sent (`process.hrtime`, ns).
       */
      readonly markEveryMs?: number;
    };
export interface SenderReply {
  readonly sent: number;
  readonly tookMs: number;
}

/**
 * Datagrams sent between two turns of the event loop: enough to keep the socket busy, few enough to
 * let completions through.
 */
const BURST = 64;

let sources: HeartbeatSource[] = [];
let stock = new Uint8Array(0);
const turn = () => new Promise<void>((resolve) => void setImmediate(resolve));

function prepare(count: number): void {
  stock = new Uint8Array(count * HEARTBEAT_BYTES);
  for (let i = 0; i < count; i++) sources[i % sources.length]?.writeNext(stock, i * HEARTBEAT_BYTES);
}

function mark(): Uint8Array {
  const bytes = new Uint8Array(MARK_BYTES);
  new DataView(bytes.buffer).setBigUint64(0, process.hrtime.bigint());
  return bytes;
}

async function send(port: number, perSecond: number | null, markEveryMs: number): Promise<SenderReply> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.connect(port, '127.0.0.1', resolve));
  socket.setSendBufferSize(4 << 20);
  const count = stock.length / HEARTBEAT_BYTES;
  const fromMs = performance.now();
  let markAtMs = Number.isFinite(markEveryMs) ? fromMs : markEveryMs;
  for (let sent = 0; sent < count; ) {
    const allowed = perSecond === null ? count : Math.floor(((performance.now() - fromMs) * perSecond) / 1_000);
    const until = Math.min(count, allowed, sent + BURST);
    for (; sent < until; sent++) socket.send(stock, sent * HEARTBEAT_BYTES, HEARTBEAT_BYTES);
    if (performance.now() >= markAtMs) {
      socket.send(mark());
      markAtMs += markEveryMs;
    }
    await turn();
  }
  const tookMs = performance.now() - fromMs;
  await new Promise<void>((resolve) => void socket.close(resolve));
  return { sent: count, tookMs };
}

process.on('message', (command: SenderCommand) => {
  void (async () => {
    if (command.kind === 'agents') {
      sources = command.challenges.map((challenge, index) => {
        const source = new HeartbeatSource(index);
        source.sequence = 1;
        source.setChallenge(challenge);
        return source;
      });
    } else if (command.kind === 'prepare') prepare(command.count);
    const reply =
      command.kind === 'send'
        ? await send(command.port, command.perSecond, command.markEveryMs ?? Number.POSITIVE_INFINITY)
        : { sent: 0, tookMs: 0 };
    process.send?.(reply);
  })();
});
