import { expect, it } from 'vitest';
import { kernelAddress, parseKernelDrops } from './kernel-drops.ts';

const TABLE = `   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  812: 0100007F:1F0A 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 28342 2 0000000000000000 17
  813: 00000000:1F0A 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 28343 2 0000000000000000 5
  914: 0100007F:0044 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 28344 2 0000000000000000 99
`;

it('takes the drops column of the socket with this address and port', () => {
  expect(parseKernelDrops(TABLE, 7946, kernelAddress('127.0.0.1'))).toBe(17);
  expect(parseKernelDrops(TABLE, 7946, kernelAddress('0.0.0.0'))).toBe(5);
  expect(parseKernelDrops(TABLE, 7946, null)).toBe(22);
  expect(parseKernelDrops(TABLE, 68, kernelAddress('127.0.0.1'))).toBe(99);
});

it('is null where there is no such socket', () => {
  expect(parseKernelDrops(TABLE, 7947, null)).toBeNull();
  expect(parseKernelDrops('', 7946, null)).toBeNull();
});

it('prints addresses as the kernel does', () => {
  expect(kernelAddress('10.1.2.3')).toBe('0302010A');
  expect(kernelAddress('::1')).toBeNull();
});
