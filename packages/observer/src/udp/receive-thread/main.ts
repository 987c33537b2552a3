import { parentPort, workerData } from 'node:worker_threads';
import { errorText, invariant, type Log, silentLog } from '@understudy/shared';
import { SystemClock } from '@understudy/shared/node';
import { DatagramRing } from '../datagram-ring.ts';
import { UdpSocket, type UdpSocketOptions } from '../udp-socket.ts';
import { Receiving } from './receiving.ts';

/** `workerData` of a receive thread. */
export interface ReceiveThreadSetup {
  readonly udp: UdpSocketOptions;
  readonly received: SharedArrayBuffer;
  readonly sends: SharedArrayBuffer;
  /** One 64-bit word. */
  readonly listened: SharedArrayBuffer;
  readonly listenEveryMs: number;
}

/** From the main thread to the receive thread. `send` means that something lies in the ring. */
export type ReceiveThreadCommand = 'send' | 'close';

/**
 * From the receive thread to the main thread. The first one is `open`, or it is `refused`: then the
 * address cannot be bound, and the thread ends.
 */
export type ReceiveThreadReport =
  | {
      readonly kind: 'open';
      readonly localAddress: string;
      readonly localPort: number;
      readonly receiveBufferBytes: number;
    }
  | { readonly kind: 'refused'; readonly text: string }
  | { readonly kind: 'wake' }
  | { readonly kind: 'warn'; readonly event: string; readonly fields: Readonly<Record<string, unknown>> };

/**
 * How long the thread stands still when it has read all there was. At 10 000 datagrams a second,
 * waking up for each of them costs more than all the rest. A datagram is dated too late by this
 * time at most. The kernel must keep what comes meanwhile: some 800 datagrams at 400 000 a second.
 */
const REST_MS = 2;
const NEVER_SET = new Int32Array(new SharedArrayBuffer(4));

/** The most that this thread logs in a minute. The rest is counted where it happens. */
const WARNINGS_PER_MINUTE = 60;

async function run(setup: ReceiveThreadSetup): Promise<void> {
  const port = parentPort;
  invariant(port !== null, 'a receive thread is started as a worker');
  const clock = new SystemClock();
  const report = (message: ReceiveThreadReport) => port.postMessage(message);
  const warn = boundedWarn(clock, report);
  let socket: UdpSocket;
  try {
    socket = await UdpSocket.open(setup.udp, { ...silentLog, warn });
  } catch (error) {
    return report({ kind: 'refused', text: errorText(error) });
  }
  const receiving = new Receiving({
    socket,
    clock,
    received: new DatagramRing(setup.received),
    sends: new DatagramRing(setup.sends),
    listened: new BigInt64Array(setup.listened),
    listenEveryMs: setup.listenEveryMs,
    wakeMain: () => report({ kind: 'wake' }),
    afterTurn: (then) => void setImmediate(then),
    rest: () => void Atomics.wait(NEVER_SET, 0, 0, REST_MS),
    onSendRefused: (error) => warn('udp.send.failed', { error: errorText(error) }),
  });
  port.on('message', (command: ReceiveThreadCommand) => {
    if (command === 'send') receiving.send();
    else if (command === 'close') void receiving.stop().finally(() => port.close());
  });
  receiving.start();
  const { localAddress, localPort, receiveBufferBytes } = socket;
  report({ kind: 'open', localAddress, localPort, receiveBufferBytes });
}

function boundedWarn(clock: SystemClock, report: (message: ReceiveThreadReport) => void): Log['warn'] {
  let minute = 0;
  let said = 0;
  return (event, fields = {}) => {
    const now = Math.floor(clock.monotonicMs() / 60_000);
    if (now !== minute) said = 0;
    minute = now;
    if (++said <= WARNINGS_PER_MINUTE) report({ kind: 'warn', event, fields });
  };
}

await run(workerData as ReceiveThreadSetup);
