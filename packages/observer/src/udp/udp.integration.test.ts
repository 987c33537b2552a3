import type { Endpoint } from '@understudy/shared';
import { SystemClock } from '@understudy/shared/node';
import { RecordingLog } from '@understudy/shared/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { observer, watched, WireAgent } from '../core/observe.fixtures.ts';
import { HeartbeatListener } from './heartbeat-listener.ts';
import { readKernelDrops } from './kernel-drops.ts';
import { UdpSocket } from './udp-socket.ts';

const clock = new SystemClock();
const open: UdpSocket[] = [];
const bind = async (log: RecordingLog, receiveBufferBytes?: number) => {
  const options = { host: '127.0.0.1', port: 0, ...(receiveBufferBytes ? { receiveBufferBytes } : {}) };
  const socket = await UdpSocket.open(options, log);
  open.push(socket);
  return socket;
};
const to = (socket: UdpSocket): Endpoint => ({ address: '127.0.0.1', port: socket.localPort });
async function until(condition: () => boolean | Promise<boolean>, limitMs = 5_000): Promise<void> {
  const deadlineMs = clock.monotonicMs() + limitMs;
  while (!(await condition())) {
    if (clock.monotonicMs() > deadlineMs) throw new Error(`not within ${limitMs} ms`);
    await clock.sleep(5);
  }
}

afterEach(async () => {
  for (const socket of open.splice(0)) await socket.close();
});

describe('on real sockets', () => {
  it('an agent is challenged, heard and acknowledged', async () => {
    const { table } = observer([watched('db/a')]);
    const socket = await bind(new RecordingLog());
    const listener = new HeartbeatListener({ socket, table, clock, log: new RecordingLog() });
    listener.start();
    const agent = new WireAgent('db/a', 'i-db-a');
    const own = await bind(new RecordingLog());
    own.onMessage((payload) => void agent.hear(payload));
    await own.send(agent.beat(), to(socket));
    await until(() => agent.challenge !== '00'.repeat(8));
    await own.send(agent.beat(), to(socket));
    await until(() => table.opinion('db/a')?.verdict === 'alive');
    expect(listener.stats()).toMatchObject({ receivedCount: 2, acksSentCount: 1 });
    await listener.stop();
  });

  it('reports the receive buffer the kernel really gave, and warns when it is smaller than asked', async () => {
    const log = new RecordingLog();
    const wanted = 1 << 30;
    const socket = await bind(log, wanted);
    expect(socket.receiveBufferBytes).toBeLessThan(wanted);
    expect(log.lines).toContainEqual({
      level: 'warn',
      event: 'udp.receive-buffer.small',
      fields: expect.objectContaining({ grantedBytes: socket.receiveBufferBytes, wantedBytes: wanted }),
    });
    const small = new RecordingLog();
    expect((await bind(small, 65_536)).receiveBufferBytes).toBe(65_536);
    expect(small.lines).toEqual([]);
  });

  it('a taken port is a clear error', async () => {
    const log = new RecordingLog();
    const { localPort } = await bind(log);
    await expect(UdpSocket.open({ host: '127.0.0.1', port: localPort }, log)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining(`cannot listen on udp 127.0.0.1:${localPort}`),
    });
  });

  it.runIf(process.platform === 'linux')('kernel drops are seen when the buffer overflows', async () => {
    const socket = await bind(new RecordingLog(), 4_096);
    socket.onMessage(() => undefined);
    const sender = await bind(new RecordingLog());
    expect(await readKernelDrops('127.0.0.1', socket.localPort)).toBe(0);
    const payload = new Uint8Array(160);
    // Handed to the kernel without a turn of the event loop in between: nobody reads meanwhile.
    await Promise.all(Array.from({ length: 5_000 }, () => sender.send(payload, to(socket))));
    expect(await readKernelDrops('127.0.0.1', socket.localPort)).toBeGreaterThan(0);
  });
});
