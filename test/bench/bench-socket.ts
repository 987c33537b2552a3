import type { HeartbeatSocket } from '@understudy/observer/testing';
import { openHeartbeatSocket } from '@understudy/observer';
import { silentLog } from '@understudy/shared';
import { SystemClock } from '@understudy/shared/node';

/**
 * A coordinator's heartbeat socket on any free port of this machine. A receive thread that ends
 * fails the benchmark.
 */
export function openBenchSocket(receiveThreads: number): Promise<HeartbeatSocket> {
  return openHeartbeatSocket({
    host: '127.0.0.1',
    port: 0,
    receiveThreads,
    tickMs: 250,
    clock: new SystemClock(),
    log: silentLog,
    onBroken: (error) => {
      throw error;
    },
  });
}
