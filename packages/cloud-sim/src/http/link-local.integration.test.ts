import { createSocket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import { SeededRandom } from '@understudy/shared';
import { SimClock } from '@understudy/shared/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CloudSim } from '../cloud-sim.ts';
import { type SeededInstance, seedInstance } from '../seed-instance.ts';
import { DnsResponder } from './dns-responder.ts';
import { ImdsEndpoints } from './imds-endpoints.ts';

const TTL = 'x-aws-ec2-metadata-token-ttl-seconds';
const TOKEN = 'x-aws-ec2-metadata-token';

describe('the metadata service', () => {
  let clock: SimClock;
  let sim: CloudSim;
  let endpoints: ImdsEndpoints;
  let db: SeededInstance;
  let url: string;

  beforeEach(async () => {
    clock = new SimClock();
    sim = new CloudSim({ clock });
    endpoints = new ImdsEndpoints(sim, new SeededRandom(1));
    db = seedInstance(sim, {
      member: 'db/one',
      userData: 'member: db/one\n',
      request: { MetadataOptions: { InstanceMetadataTags: 'enabled' } },
    });
    url = `http://127.0.0.1:${await endpoints.open(db.instanceId)}`;
  });
  afterEach(() => endpoints.close());

  const token = async (ttlS: string | null, headers: Record<string, string> = {}) => {
    const all = { ...(ttlS !== null && { [TTL]: ttlS }), ...headers };
    const response = await fetch(`${url}/latest/api/token`, { method: 'PUT', headers: all });
    return { status: response.status, token: await response.text() };
  };
  const get = async (path: string, bearer: string) => {
    const response = await fetch(`${url}/latest/${path}`, { headers: { [TOKEN]: bearer } });
    return [response.status, await response.text()] as const;
  };

  test('tells an instance who and where it is', async () => {
    const { token: bearer } = await token('60');
    expect(await get('meta-data/instance-id', bearer)).toEqual([200, db.instanceId]);
    expect(await get('meta-data/placement/availability-zone', bearer)).toEqual([200, 'us-east-1a']);
    expect(await get('meta-data/placement/region', bearer)).toEqual([200, 'us-east-1']);
    expect(await get('meta-data/local-ipv4', bearer)).toEqual([200, db.privateIp]);
    expect(await get('meta-data/tags/instance/understudy:member', bearer)).toEqual([200, 'one']);
    expect(await get('user-data', bearer)).toEqual([200, 'member: db/one\n']);
    const [, document] = await get('dynamic/instance-identity/document', bearer);
    expect(JSON.parse(document)).toMatchObject({ instanceId: db.instanceId, privateIp: db.privateIp });
  });

  test('signs the very document', async () => {
    const { token: bearer } = await token('60');
    const [, document] = await get('dynamic/instance-identity/document', bearer);
    const [, message] = await get('dynamic/instance-identity/rsa2048', bearer);
    expect(Buffer.from(message, 'base64').includes(document)).toBe(true);
    expect(message).toMatch(/^[A-Za-z0-9+/\n]+=*$/);
    const [status, signature] = await get('dynamic/instance-identity/signature', bearer);
    expect([status, Buffer.from(signature, 'base64').length]).toEqual([200, 128]);
    expect((await get('dynamic/instance-identity/pkcs7', bearer))[0]).toBe(404);
    expect((await fetch(`${url}/latest/dynamic/instance-identity/rsa2048`)).status).toBe(401);
  });

  test('lists what it has in every version that cloud-init asks for, so that all of it can be walked', async () => {
    const { token: bearer } = await token('60');
    const walked: string[] = [];
    const walk = async (folder: string): Promise<void> => {
      const response = await fetch(`${url}/2021-03-23/${folder}`, { headers: { [TOKEN]: bearer } });
      expect(response.status).toBe(200);
      for (const name of (await response.text()).split('\n')) {
        if (name.endsWith('/')) await walk(folder + name);
        else walked.push(folder + name);
      }
    };
    await walk('meta-data/');
    for (const path of walked) expect((await get(path, bearer))[0], path).toBe(200);
    expect(walked).toContain('meta-data/placement/availability-zone');
    expect(await get('meta-data/placement', bearer)).toEqual([200, 'availability-zone\nregion']);
    const name = `ip-${db.privateIp.replaceAll('.', '-')}.ec2.internal`;
    expect(await get('meta-data/local-hostname', bearer)).toEqual([200, name]);
    expect((await fetch(`${url}/2020-01-01/meta-data/`, { headers: { [TOKEN]: bearer } })).status).toBe(404);
  });

  test('gives tokens of 1 to 21600 seconds only, and none through a proxy', async () => {
    for (const ttl of [null, '0', '21601', 'x', '1.5']) expect((await token(ttl)).status).toBe(400);
    expect((await token('60', { 'x-forwarded-for': '10.0.0.1' })).status).toBe(403);
    expect((await fetch(`${url}/2021-01-03/api/token`, { method: 'PUT', headers: { [TTL]: '60' } })).status).toBe(403);
    expect((await token('21600')).status).toBe(200);
  });

  test('answers 401 without a token, with a wrong one and with an expired one', async () => {
    expect((await fetch(`${url}/latest/meta-data/instance-id`)).status).toBe(401);
    expect((await get('meta-data/instance-id', 'nonsense'))[0]).toBe(401);
    const { token: bearer } = await token('2');
    await clock.advance(1_999);
    expect((await get('meta-data/instance-id', bearer))[0]).toBe(200);
    await clock.advance(1);
    expect((await get('meta-data/instance-id', bearer))[0]).toBe(401);
  });

  test('has notices when they are injected, 404 before', async () => {
    const { token: bearer } = await token('60');
    expect((await get('meta-data/spot/instance-action', bearer))[0]).toBe(404);
    expect((await get('meta-data/events/recommendations/rebalance', bearer))[0]).toBe(404);
    expect(await get('meta-data/events/maintenance/scheduled', bearer)).toEqual([200, '[]']);
    endpoints.setFaults(db.instanceId, {
      spotAction: { action: 'terminate', time: '2026-01-01T00:02:00Z' },
      rebalanceNoticeTime: '2026-01-01T00:00:00Z',
    });
    expect(await get('meta-data/spot/instance-action', bearer)).toEqual([
      200,
      '{"action":"terminate","time":"2026-01-01T00:02:00Z"}',
    ]);
    expect((await get('meta-data/events/recommendations/rebalance', bearer))[0]).toBe(200);
  });

  test('tells the instance of the events that are scheduled for it, as DescribeInstanceStatus tells others', async () => {
    const { token: bearer } = await token('60');
    const event = {
      code: 'instance-stop',
      description: 'degraded hardware',
      notBeforeWallMs: Date.UTC(2026, 0, 21, 9, 0, 43),
    };
    sim.setScheduledEvents(db.instanceId, [
      { ...event, eventId: 'instance-event-1' },
      { ...event, eventId: 'instance-event-0', description: '[Completed] reboot' },
    ]);
    const [status, text] = await get('meta-data/events/maintenance/scheduled', bearer);
    expect([status, JSON.parse(text)]).toEqual([
      200,
      [
        {
          Code: 'instance-stop',
          Description: 'degraded hardware',
          EventId: 'instance-event-1',
          NotBefore: '21 Jan 2026 09:00:43 GMT',
          NotAfter: '',
          State: 'active',
        },
      ],
    ]);
  });

  test('can be throttled, and can stop answering at all', async () => {
    endpoints.setFaults(db.instanceId, { throttled: true });
    expect((await token('60')).status).toBe(429);
    endpoints.setFaults(db.instanceId, { unreachable: true });
    const hanging = fetch(`${url}/latest/api/token`, {
      method: 'PUT',
      headers: { [TTL]: '60' },
      signal: AbortSignal.timeout(300),
    });
    await expect(hanging).rejects.toThrow('timeout');
  });

  test('is gone when the instance is down', async () => {
    await endpoints.shut(db.instanceId);
    expect(endpoints.ports()).toEqual({});
    await expect(token('60')).rejects.toThrow('fetch failed');
  });
});

describe('the name server', () => {
  test('answers any name, knows that .invalid does not exist, and can be silent', async () => {
    const dns = new DnsResponder();
    const port = await dns.listen();
    const resolver = new Resolver({ timeout: 300, tries: 1 });
    resolver.setServers([`127.0.0.1:${port}`]);
    expect(await resolver.resolve4('amazonaws.com')).toEqual(['203.0.113.1']);
    await expect(resolver.resolve4('nothing.invalid')).rejects.toMatchObject({ code: 'ENOTFOUND' });
    dns.mode = 'nxdomain';
    await expect(resolver.resolve4('amazonaws.com')).rejects.toMatchObject({ code: 'ENOTFOUND' });
    dns.mode = 'silent';
    await expect(resolver.resolve4('amazonaws.com')).rejects.toMatchObject({ code: 'ETIMEOUT' });
    await dns.close();
  });

  test('drops garbage and goes on', async () => {
    const dns = new DnsResponder();
    const port = await dns.listen();
    const socket = createSocket('udp4');
    for (const garbage of ['', 'x', '\xff'.repeat(40), '\0'.repeat(12), '\0\0\0\0\0\x01\0\0\0\0\0\0\x3f']) {
      await new Promise((resolve) => socket.send(Buffer.from(garbage, 'latin1'), port, '127.0.0.1', resolve));
    }
    socket.close();
    const resolver = new Resolver({ timeout: 1_000, tries: 1 });
    resolver.setServers([`127.0.0.1:${port}`]);
    expect(await resolver.resolve4('still.there')).toEqual(['203.0.113.1']);
    await dns.close();
  });
});
