import { describe, expect, it, test } from 'vitest';
import { certificateFields, judgeCertificate } from './certificates.ts';

const DAY_MS = 86_400_000;
const NOW = Date.parse('2026-11-28T12:00:00Z');
const of = (fromDays: number, untilDays: number) => ({
  ...{ field: 'etcd.tls.certFile', path: '/etc/c1.pem', problem: null },
  ...{ fromMs: NOW + fromDays * DAY_MS, untilMs: NOW + untilDays * DAY_MS },
});

test('every certificate that a configuration names is found, and no key', () => {
  const config = {
    etcd: { hosts: ['https://a:2379'], tls: { caFile: 'ca.pem', certFile: 'c1.pem', keyFile: 'c1.key' } },
    http: { tls: { certFile: 'h.pem', clientCaFile: 'api.pem' }, cachedFile: 'x' },
  };
  expect(certificateFields(config)).toEqual([
    ['etcd.tls.caFile', 'ca.pem'],
    ['etcd.tls.certFile', 'c1.pem'],
    ['http.tls.certFile', 'h.pem'],
    ['http.tls.clientCaFile', 'api.pem'],
  ]);
  expect(certificateFields(null)).toEqual([]);
});

describe('a certificate', () => {
  it.each([
    ['with half of its life left is well', of(-180, 185), 'ok', /valid for 185 days/],
    ['with less than a third left is to be renewed', of(-300, 65), 'warning', /ends in 65 days/],
    ['that has ended is a fault', of(-400, -1), 'fault', /ended on 2026-11-27/],
    ['of the future tells of a clock', of(1, 300), 'fault', /not valid before 2026-11-29/],
  ] as const)('%s', (_, file, severity, text) => {
    expect(judgeCertificate(file, NOW)).toMatchObject({ severity, text: expect.stringMatching(text) });
  });

  it('that cannot be read is a fault, with the reason', () => {
    const file = { ...of(0, 0), fromMs: null, untilMs: null, problem: 'ENOENT' };
    expect(judgeCertificate(file, NOW)).toMatchObject({ severity: 'fault', text: expect.stringContaining('ENOENT') });
  });
});
