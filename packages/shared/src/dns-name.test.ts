import { expect, test } from 'vitest';
import { normalisedDnsName } from './dns-name.ts';

test.each([
  ['Db.Example.COM', 'db.example.com.'],
  ['db.example.com.', 'db.example.com.'],
  ['*.example.com', '\\052.example.com.'],
  ['\\052.example.com', '\\052.example.com.'],
  ['_sip._tcp.example.com', '_sip._tcp.example.com.'],
  ['a/b.example.com', 'a\\057b.example.com.'],
])('%s is %s', (name, expected) => {
  expect(normalisedDnsName(name)).toBe(expected);
  expect(normalisedDnsName(expected)).toBe(expected);
});
