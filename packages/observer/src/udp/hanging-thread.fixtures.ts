import { parentPort } from 'node:worker_threads';
import './receive-thread/main.ts';

/** A receive thread that hangs for as long as it is told, as if it got no processor. */
parentPort?.on('message', (message: unknown) => {
  if (typeof message !== 'object' || message === null || !('hangMs' in message)) return;
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Number(message.hangMs));
});
