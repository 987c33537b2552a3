import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  finishRotation,
  initAuthorities,
  issueCertificate,
  renewCertificates,
  rotateAuthorities,
} from './certificate-authority.ts';
import { certificatesIn } from './certificate-files.ts';
import { certificatesText, shownCertificates } from './certificates-view.ts';
import type { KindName } from './certificate-kinds.ts';

const NOW = Date.parse('2026-11-28T12:00:00Z');
const DAY_MS = 86_400_000;
const YEAR = { nowWallMs: NOW, days: 365 };
const KEEP = { force: false };

let dir = '';
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'understudy-certs-'));
  await initAuthorities(dir, { nowWallMs: NOW, days: 3_650 }, KEEP);
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const issue = (kind: KindName, name: string, addresses: readonly string[] = [], lifetime = YEAR, writing = KEEP) =>
  issueCertificate(dir, { kind, name, addresses }, lifetime, writing);
const textOf = (path: string): string => readFileSync(join(dir, path), 'utf8');
const read = (path: string): X509Certificate => new X509Certificate(textOf(path));
const bundle = (authority: string): readonly X509Certificate[] => certificatesIn(textOf(`${authority}/ca.pem`));

describe('authorities', () => {
  it('are two: what one signed is not the other’s', async () => {
    await issue('etcd-client', 'c1');
    await issue('operator', 'alice');
    const [etcd, api] = [bundle('etcd')[0], bundle('api')[0]];
    const seen = [etcd, api].map(
      (one) => one && [read('etcd/c1.pem'), read('api/alice.pem')].map((leaf) => leaf.verify(one.publicKey)),
    );
    expect(seen).toEqual([
      [true, false],
      [false, true],
    ]);
  });

  it('sign certificates and nothing below them', () => {
    const [own] = bundle('etcd');
    expect([own?.ca, own?.subject]).toEqual([true, 'CN=Understudy etcd authority\nO=Understudy']);
    expect(own?.checkIssued(own)).toBe(true);
  });

  it('are never overwritten, and neither is a certificate, unless it is said', async () => {
    const before = textOf('etcd/ca.key');
    await expect(initAuthorities(dir, YEAR, KEEP)).rejects.toThrow(/ca\.key is there already/);
    expect(textOf('etcd/ca.key')).toBe(before);
    await issue('operator', 'alice');
    const serial = read('api/alice.pem').serialNumber;
    await expect(issue('operator', 'alice')).rejects.toThrow(/alice\.key is there already.*--force/);
    await issue('operator', 'alice', [], YEAR, { force: true });
    expect(read('api/alice.pem').serialNumber).not.toBe(serial);
  });
});

describe('a certificate', () => {
  it('names what its server is reached at, and may be used for what its kind says', async () => {
    await issue('etcd-member', 'etcd-a', ['10.0.1.5', 'etcd-a.example.org', '::1']);
    const one = read('etcd/etcd-a.pem');
    expect(one.subjectAltName).toBe('IP Address:10.0.1.5, DNS:etcd-a.example.org, IP Address:0:0:0:0:0:0:0:1');
    expect(one.keyUsage.toSorted()).toEqual(['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']);
    await issue('operator', 'alice');
    expect([read('api/alice.pem').keyUsage, read('api/alice.pem').ca]).toEqual([['1.3.6.1.5.5.7.3.2'], false]);
  });

  it('is of an EC key that only its owner can read', async () => {
    await issue('coordinator', 'c1', ['127.0.0.1']);
    const key = read('api/c1.pem').publicKey;
    expect([key.asymmetricKeyType, key.asymmetricKeyDetails?.namedCurve]).toEqual(['ec', 'prime256v1']);
    for (const file of ['api/c1.key', 'api/ca.key', 'etcd/ca.key'])
      expect(statSync(join(dir, file)).mode & 0o777).toBe(0o600);
    expect(statSync(join(dir, 'api')).mode & 0o777).toBe(0o700);
  });

  it('is good from an hour ago, for clocks that are behind, until its days are over', async () => {
    await issue('operator', 'alice', [], { nowWallMs: NOW, days: 30 });
    const { validFromDate, validToDate } = read('api/alice.pem');
    expect([validFromDate.getTime(), validToDate.getTime()]).toEqual([NOW - 3_600_000, NOW + 30 * DAY_MS]);
  });

  it.each([
    ['a server without an address', 'coordinator', 'c1', /--san/],
    ['a name with a path in it', 'operator', '../x', /no name of a certificate/],
    ['the name of the authority', 'operator', 'ca', /no name of a certificate/],
  ] as const)('%s is refused', async (_, kind, name, why) => {
    await expect(issue(kind, name)).rejects.toThrow(why);
  });
});

describe('renewing', () => {
  it('signs anew what has less than a third of its life left, with another key and the same names', async () => {
    await issue('coordinator', 'c1', ['127.0.0.1', 'c1.local'], { nowWallMs: NOW - 300 * DAY_MS, days: 365 });
    await issue('operator', 'alice');
    const before = read('api/c1.pem');
    expect(await renewCertificates(dir, { ...YEAR, all: false })).toEqual([join(dir, 'api/c1.pem')]);
    const after = read('api/c1.pem');
    expect([after.subject, after.subjectAltName]).toEqual([before.subject, before.subjectAltName]);
    expect(after.publicKey.equals(before.publicKey)).toBe(false);
    expect(await renewCertificates(dir, { ...YEAR, all: false })).toEqual([]);
    expect(await renewCertificates(dir, { ...YEAR, all: true })).toHaveLength(2);
  });
});

describe('changing the authorities', () => {
  it('trusts both, signs by the new one, and lets go of the old one only when nothing hangs on it', async () => {
    await issue('etcd-client', 'c1');
    const [former] = bundle('etcd');
    await rotateAuthorities(dir, { nowWallMs: NOW, days: 3_650 });
    expect(bundle('etcd')).toHaveLength(2);
    expect(bundle('etcd')[1]?.fingerprint256).toBe(former?.fingerprint256);
    await expect(rotateAuthorities(dir, YEAR)).rejects.toThrow(/former authority is still trusted/);
    expect(() => finishRotation(dir)).toThrow(/etcd\/c1\.pem is still signed by the former authority/);
    expect(await renewCertificates(dir, { ...YEAR, all: false })).toEqual([join(dir, 'etcd/c1.pem')]);
    finishRotation(dir);
    const [now, ...more] = bundle('etcd');
    expect([more, now && read('etcd/c1.pem').verify(now.publicKey)]).toEqual([[], true]);
  });
});

describe('what is shown', () => {
  it('says of each what it is and how long it lasts, and what is due', async () => {
    await issue('coordinator', 'c1', ['10.0.1.5']);
    await issue('operator', 'alice', [], { nowWallMs: NOW - 350 * DAY_MS, days: 365 });
    await issue('operator', 'bob', [], { nowWallMs: NOW - 20 * DAY_MS, days: 10 });
    const all = shownCertificates(dir, NOW);
    expect(all.map(({ name, daysLeft, state }) => [name, daysLeft, state])).toEqual([
      ['etcd/ca', 3_650, 'ok'],
      ['api/ca', 3_650, 'ok'],
      ['api/alice', 15, 'due'],
      ['api/bob', -10, 'expired'],
      ['api/c1', 365, 'ok'],
    ]);
    const text = certificatesText(all);
    expect(text).toMatch(/api\/c1 +one coordinator, to browsers.* ok +365 +10\.0\.1\.5/);
    expect(text).not.toContain('PRIVATE');
  });
});
