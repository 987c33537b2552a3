import { createSocket } from 'node:dgram';
import { expect, it } from 'vitest';
import { SystemClock } from '@understudy/shared/node';
import { askUdp } from './peers.ts';

it('tells a port where nothing listens from one where somebody does', async () => {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', () => resolve()));
  const { port } = socket.address();
  expect(await askUdp(`127.0.0.1:${port}`, new SystemClock())).toBe('no-refusal');
  await new Promise<void>((resolve) => socket.close(() => resolve()));
  expect(await askUdp(`127.0.0.1:${port}`, new SystemClock())).toBe('refused');
  expect(await askUdp('nonsense', new SystemClock())).toBe('unknown');
});
