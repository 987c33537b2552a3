import { describe, expect, it } from 'vitest';
import {
  arpComplete,
  mountAt,
  mountHolding,
  parseDefaultRoute,
  parseMounts,
  parseNameservers,
  parsePressure,
} from './proc-parsers.ts';

const ROUTES = [
  'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT',
  'eth1\t00000000\t0101A8C0\t0003\t0\t0\t200\t00000000\t0\t0\t0',
  'eth0\t00000000\t010200C0\t0003\t0\t0\t100\t00000000\t0\t0\t0',
  'eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0',
].join('\n');

describe('/proc/net/route', () => {
  it('the default route of the lowest metric', () => {
    expect(parseDefaultRoute(ROUTES)).toEqual({ gateway: '192.0.2.1', device: 'eth0' });
  });
  it('none is null, also in an empty file', () => {
    expect(
      parseDefaultRoute(
        ROUTES.split('\n')
          .filter((line) => !line.includes('\t00000000\t0'))
          .join('\n'),
      ),
    ).toBeNull();
    expect(parseDefaultRoute('')).toBeNull();
  });
  it('point to point has no gateway; one that is down does not count', () => {
    expect(parseDefaultRoute('h\ntun0\t00000000\t00000000\t0001\t0\t0\t0\t00000000\t0\t0\t0')).toEqual({
      gateway: null,
      device: 'tun0',
    });
    expect(parseDefaultRoute('h\neth0\t00000000\t010200C0\t0002\t0\t0\t0\t00000000\t0\t0\t0')).toBeNull();
  });
});

describe('/proc/net/arp', () => {
  const arp = [
    'IP address       HW type     Flags       HW address            Mask     Device',
    '192.0.2.1        0x1         0x2         02:fc:00:00:00:05     *        eth0',
    '192.0.2.9        0x1         0x0         00:00:00:00:00:00     *        eth0',
  ].join('\n');
  it.each([
    ['192.0.2.1', true],
    ['192.0.2.9', false],
    ['192.0.2.7', false],
  ])('%s complete: %s', (ip, complete) => expect(arpComplete(arp, ip)).toBe(complete));
});

describe('/proc/self/mounts', () => {
  const mounts = parseMounts(
    [
      '/dev/nvme0n1p1 / ext4 rw,relatime 0 0',
      '/dev/nvme1n1 /data xfs rw,noatime 0 0',
      '/dev/nvme1n1 /data xfs ro,noatime 0 0',
      '/dev/nvme2n1 /with\\040space ext4 rw,errors=remount-ro 0 0',
      '/dev/nvme3n1 /stopped ext4 rw,relatime,errors=remount-ro,emergency_ro 0 0',
      'broken',
    ].join('\n'),
  );
  it('the last mount on a path counts, and ro is an option of its own', () => {
    expect(mountAt(mounts, '/data')?.readOnly).toBe(true);
    expect(mountAt(mounts, '/with space/')?.readOnly).toBe(false);
    expect(mountAt(mounts, '/stopped')?.readOnly).toBe(true);
    expect(mountAt(mounts, '/other')).toBeUndefined();
  });
  it('the mount that holds a path is the longest, by whole names', () => {
    expect(mountHolding(mounts, '/data/sub')?.device).toBe('/dev/nvme1n1');
    expect(mountHolding(mounts, '/database')?.path).toBe('/');
  });
});

describe('/etc/resolv.conf', () => {
  it('the first three nameservers', () => {
    const text =
      '# x\nsearch a b\nnameserver 10.0.0.2\n nameserver fe80::1%eth0\nnameserver 1.1.1.1\nnameserver 2.2.2.2\n';
    expect(parseNameservers(text)).toEqual(['10.0.0.2', 'fe80::1%eth0', '1.1.1.1']);
  });
});

describe('/proc/pressure', () => {
  it('the shares of the last minute', () => {
    const text = [
      'some avg10=0.22 avg60=61.50 avg300=1.11 total=58761459',
      'full avg10=0.23 avg60=0.16 avg300=1.08 total=57',
    ];
    expect(parsePressure(text.join('\n'))).toEqual({ somePercent: 61.5, fullPercent: 0.16 });
    expect(parsePressure(text[0] ?? '')).toEqual({ somePercent: 61.5, fullPercent: 0 });
  });
  it('anything else is no answer', () => expect(() => parsePressure('')).toThrow(/no pressure/));
});
