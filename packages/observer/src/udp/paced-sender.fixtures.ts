import { createSocket } from 'node:dgram';
import { setTimeout as sleep } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';

/**
 * Sends datagrams of one length at a rate, from a thread of its own, and says how many went out.
 */
export interface PacedSending {
  readonly port: number;
  readonly datagrams: Uint8Array;
  readonly datagramBytes: number;
  readonly perSecond: number;
}

const { port, datagrams, datagramBytes, perSecond } = workerData as PacedSending;
const socket = createSocket('udp4');
await new Promise<void>((resolve) => socket.connect(port, '127.0.0.1', resolve));
const count = datagrams.length / datagramBytes;
const fromMs = performance.now();
let sent = 0;
while (sent < count) {
  const due = Math.min(count, Math.floor(((performance.now() - fromMs) * perSecond) / 1_000));
  for (; sent < due; sent++) socket.send(datagrams, sent * datagramBytes, datagramBytes);
  await sleep(2);
}
parentPort?.postMessage(sent);
await new Promise<void>((resolve) => void socket.close(resolve));
