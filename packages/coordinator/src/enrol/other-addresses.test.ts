import type { CloudInstance } from '@understudy/shared';
import { expect, test } from 'vitest';
import { otherAddressesOf } from './other-addresses.ts';

const instance = (over: Partial<CloudInstance>): CloudInstance =>
  ({ privateIp: '10.0.0.1', publicIp: null, raw: {}, ...over }) as CloudInstance;

test('every address of every interface but the primary one, each once, in one order', () => {
  const raw = {
    NetworkInterfaces: [
      {
        PrivateIpAddresses: [
          { PrivateIpAddress: '10.0.0.1', Association: { PublicIp: '54.0.0.1' } },
          { PrivateIpAddress: '10.0.0.2' },
        ],
        Ipv6Addresses: [{ Ipv6Address: '2001:db8::1' }],
      },
      { PrivateIpAddresses: [{ PrivateIpAddress: '10.0.1.9' }, 'nonsense'] },
    ],
  };
  expect(otherAddressesOf(instance({ publicIp: '54.0.0.1', raw }))).toEqual([
    '10.0.0.2',
    '10.0.1.9',
    '2001:db8::1',
    '54.0.0.1',
  ]);
  expect(otherAddressesOf(instance({}))).toEqual([]);
});

test('256 of them at most: the record stays small', () => {
  const addresses = Array.from({ length: 300 }, (_, index) => ({ Ipv6Address: `2001:db8::${1_000 + index}` }));
  const kept = otherAddressesOf(instance({ raw: { NetworkInterfaces: [{ Ipv6Addresses: addresses }] } }));
  expect([kept.length, kept.at(-1)]).toEqual([256, '2001:db8::1255']);
});
