import { exercised } from '@understudy/shared/testing';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { addressOf, ipv4Text, parseIpv4, setAddress } from './addresses.ts';
import { EntryColumns } from './columns.ts';

it('keeps any address as it came', () => {
  const seen = exercised();
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.ipV4(), fc.ipV6()), { minLength: 1, maxLength: 5 }), (addresses) => {
      const entries = new EntryColumns();
      const entry = entries.take();
      for (const address of addresses) {
        setAddress(entries, entry, address);
        expect(addressOf(entries, entry)).toBe(address);
        seen.note(address.includes(':') ? 'v6' : 'v4');
      }
    }),
  );
  seen.atLeast({ v4: 60, v6: 60 });
});

it.each([
  '',
  '1.2.3',
  '1.2.3.4.5',
  '1.2.3.4.5.6',
  '1.2.3.256',
  '1.2.3.',
  '.1.2.3',
  '1..2.3',
  '1.2.3.4x',
  '1.2.3.4:',
  '1.2.3.4/',
  'fe80::1',
  'localhost',
])('"%s" is no IPv4 address', (text) => {
  expect(parseIpv4(text)).toBe(0);
});

it.each([
  ['0.0.0.1', 1],
  ['1.2.3.4', 0x01020304],
  ['255.255.255.255', 0xffffffff],
  ['10.200.30.9', 0x0ac81e09],
])('"%s" is %i', (text, value) => {
  expect(parseIpv4(text)).toBe(value);
  expect(ipv4Text(value)).toBe(text);
});

it('an IPv4 address takes the place of another one that the row had', () => {
  const entries = new EntryColumns();
  const [first, second] = [entries.take(), entries.take()];
  setAddress(entries, first, 'fe80::1');
  setAddress(entries, second, 'fe80::2');
  setAddress(entries, first, '10.0.0.1');
  expect([addressOf(entries, first), addressOf(entries, second)]).toEqual(['10.0.0.1', 'fe80::2']);
  expect(entries.otherAddress.size).toBe(1);
});

it('a row that is used again has no address', () => {
  const entries = new EntryColumns();
  const entry = entries.take();
  setAddress(entries, entry, 'fe80::1');
  entries.release(entry);
  expect(addressOf(entries, entry)).toBeNull();
  expect(entries.otherAddress.size).toBe(0);
});
