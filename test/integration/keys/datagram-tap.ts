import { createSocket, type Socket } from 'node:dgram';
import { agentIdOf, FRAME_TYPE, HEARTBEAT_OFFSET, type MemberId } from '@understudy/shared';
import { SystemClock } from '@understudy/shared/node';

/** One heartbeat on its way. */
export interface Tapped {
  readonly atMs: number;
  readonly agentId: string;
  readonly keyId: number;
  readonly bootEpoch: bigint;
  readonly sequence: bigint;
}

const AGENTS_MAX = 16;
const clock = new SystemClock();

/**
 * Stands before one coordinator's UDP port, hands everything on unchanged in both directions, and
 * writes heartbeats down.
 */
export class DatagramTap {
  readonly seen: Tapped[] = [];
  readonly #front = createSocket('udp4');
  readonly #behind = new Map<number, Socket>();
  readonly #port: number;
  port = 0;

  private constructor(coordinatorPort: number) {
    this.#port = coordinatorPort;
  }

  static async open(coordinatorPort: number): Promise<DatagramTap> {
    const tap = new DatagramTap(coordinatorPort);
    await new Promise<void>((resolve) => tap.#front.bind(0, '127.0.0.1', resolve));
    tap.port = tap.#front.address().port;
    tap.#front.on('message', (payload, from) => {
      tap.#note(payload);
      tap.#socketFor(from.port).send(payload, tap.#port, '127.0.0.1');
    });
    return tap;
  }

  /** One per agent, so that the coordinator can tell them apart and answers find their way. */
  #socketFor(agentPort: number): Socket {
    const known = this.#behind.get(agentPort);
    if (known) return known;
    if (this.#behind.size >= AGENTS_MAX) throw new Error(`more than ${AGENTS_MAX} agents`);
    const socket = createSocket('udp4');
    socket.on('message', (payload) => this.#front.send(payload, agentPort, '127.0.0.1'));
    this.#behind.set(agentPort, socket);
    return socket;
  }

  #note(payload: Buffer): void {
    if (payload[1] !== FRAME_TYPE.heartbeat) return;
    this.seen.push({
      atMs: clock.monotonicMs(),
      agentId: payload.subarray(HEARTBEAT_OFFSET.agentId, HEARTBEAT_OFFSET.agentId + 16).toString('hex'),
      keyId: payload[HEARTBEAT_OFFSET.keyId] ?? 0,
      bootEpoch: payload.readBigUInt64BE(HEARTBEAT_OFFSET.bootEpoch),
      sequence: payload.readBigUInt64BE(HEARTBEAT_OFFSET.sequence),
    });
  }

  of(member: MemberId): readonly Tapped[] {
    const agentId = agentIdOf(member);
    return this.seen.filter((one) => one.agentId === agentId);
  }

  close(): void {
    for (const socket of [this.#front, ...this.#behind.values()]) socket.close();
  }
}
