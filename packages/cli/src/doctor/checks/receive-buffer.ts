import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { check } from '../check.ts';
import type { CoordinatorHost } from '../coordinator-host.ts';
import { type Finding, note, ok, warning } from '../finding.ts';

export interface BufferFacts {
  readonly wantedBytes: number;
  /** What the kernel gave. Linux doubles what is asked for; this is the half. */
  readonly givenBytes: number;
  /** Null: not Linux. */
  readonly rmemMaxBytes: number | null;
}

/** Whether the kernel gives the receive buffer that is asked for. Pure. */
export function judgeBuffer({ wantedBytes, givenBytes, rmemMaxBytes }: BufferFacts): readonly Finding[] {
  if (rmemMaxBytes === null) return [note('net.core.rmem_max is not known here')];
  if (givenBytes >= wantedBytes) return [ok(`the kernel gives the ${wantedBytes} bytes of udp.receiveBufferBytes`)];
  return [
    warning(
      `the kernel gives ${givenBytes} of the ${wantedBytes} bytes of udp.receiveBufferBytes (net.core.rmem_max is ${rmemMaxBytes}): heartbeats are lost in bursts and pauses`,
      'raise it, and keep it in /etc/sysctl.d/',
      `sysctl -w net.core.rmem_max=${wantedBytes}`,
    ),
  ];
}

async function givenBytes(wantedBytes: number): Promise<number> {
  const socket = createSocket('udp4');
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.bind(0, '127.0.0.1', () => resolve());
    });
    socket.setRecvBufferSize(wantedBytes);
    return Math.floor(socket.getRecvBufferSize() / 2);
  } finally {
    socket.close();
  }
}

function rmemMax(): number | null {
  try {
    return Number(readFileSync('/proc/sys/net/core/rmem_max', 'utf8'));
  } catch {
    return null;
  }
}

export const receiveBuffer = check(
  'receive buffer',
  async ({ config: { udp } }: CoordinatorHost): Promise<BufferFacts> => ({
    wantedBytes: udp.receiveBufferBytes,
    givenBytes: await givenBytes(udp.receiveBufferBytes),
    rmemMaxBytes: rmemMax(),
  }),
  judgeBuffer,
);
