import { exercised } from '@understudy/shared/testing';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { addressOf, parseIpv4, setAddress } from './addresses.ts';
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

it.each(['', '1.2.3', '1.2.3.4.5', '1.2.3.256', '1..2.3', '1.2.3.4x', 'fe80::1', 'localhost'])(
  '"%s" is no IPv4 address',
  (text) => {
    expect(parseIpv4(text)).toBe(0);
  },
);

it('a row that is used again has no address', () => {
  const entries = new EntryColumns();
  const entry = entries.take();
  setAddress(entries, entry, 'fe80::1');
  entries.release(entry);
  expect(addressOf(entries, entry)).toBeNull();
  expect(entries.otherAddress.size).toBe(0);
});
