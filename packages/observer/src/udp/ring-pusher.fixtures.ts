import { workerData } from 'node:worker_threads';
import { DatagramRing } from './datagram-ring.ts';

/**
 * A thread that pushes numbered datagrams as fast as it can, each again until the ring has room for
 * it.
 */
const { memory, count } = workerData as { readonly memory: SharedArrayBuffer; readonly count: number };
const ring = new DatagramRing(memory);
const words = new Uint32Array(40);
const payload = new Uint8Array(words.buffer);
for (let i = 0; i < count; i++) {
  words.fill(i);
  while (ring.push(payload, { address: '10.0.0.1', port: i & 0xff_ff }, i) < 0);
}
