import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { SystemClock } from '@understudy/shared/node';
import { RecordingLog } from '@understudy/shared/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { nobody } from './access/caller.ts';
import { ClusterKeys } from './cluster-keys.ts';
import { closeServers, MASTERS, OPERATOR_TOKEN, serveApi } from './http.fixtures.ts';
import { Forwarding } from './peers/forwarding.ts';

let asked: string[];
let port: number;
/** What nobody may reach by way of a coordinator. */
const victim = createServer((request, reply) => {
  asked.push(request.url ?? '');
  reply.end('{}');
});

beforeEach(async () => {
  asked = [];
  await new Promise<void>((resolve) => victim.listen(0, '127.0.0.1', resolve));
  ({ port } = victim.address() as AddressInfo);
});
afterEach(async () => {
  await closeServers();
  await new Promise((resolve) => victim.close(resolve));
});

/** As it stands: no client of HTTP writes such a line. */
function sentRaw(to: number, target: string): Promise<string> {
  const socket = connect(to, '127.0.0.1');
  const head = ['host: c1', `authorization: Bearer ${OPERATOR_TOKEN}`, 'connection: close'];
  socket.write(`GET ${target} HTTP/1.1\r\n${head.join('\r\n')}\r\n\r\n`);
  return text(socket);
}

describe('a request whose target names another host', () => {
  test.each([
    ['with its scheme', (host: string) => `http://${host}/v1/members/g/m/plan`],
    ['after two slashes', (host: string) => `//${host}/v1/members/g/m/plan`],
    ['after a slash and a backslash', (host: string) => `/\\${host}/v1/members/g/m/plan`],
    ['as no path at all', () => '*'],
  ])('%s is refused by a follower, and goes nowhere', async (_, targetAt) => {
    const leader = { coordinatorId: 'c2', httpUrl: `http://127.0.0.1:${port}` };
    // Another port of the same address than the leader's is another host, too.
    const elsewhere = { ...leader, httpUrl: 'http://127.0.0.1:1' };
    const follower = await serveApi({ coordinatorId: 'c1', api: { leader: () => elsewhere } });
    const reply = await sentRaw(follower.port, targetAt(`127.0.0.1:${port}`));
    expect(asked).toEqual([]);
    expect(reply).toMatch(/^HTTP\/1\.1 400 /);
    expect(reply).toContain('application/problem+json');
    expect(reply).toMatch(/^request-id: [0-9a-f]+/m);
    expect(reply).toContain('"code":"BAD_REQUEST"');
  });

  test('is not passed on either, should it ever get so far', async () => {
    const forwarding = new Forwarding({
      ...{ coordinatorId: 'c1', keys: new ClusterKeys(MASTERS), clock: new SystemClock(), log: new RecordingLog() },
      peerCa: () => null,
    });
    const request = {
      method: 'GET',
      body: '',
      caller: nobody('read'),
      address: '192.0.2.1',
      requestId: 'r1',
      ifMatch: '',
      idempotencyKey: '',
    };
    const leader = { coordinatorId: 'c2', httpUrl: 'http://127.0.0.1:1' };
    for (const path of [`http://127.0.0.1:${port}/x`, `//127.0.0.1:${port}/x`, `/\t/127.0.0.1:${port}/x`])
      await expect(forwarding.send(leader, { ...request, path }, 1_000)).rejects.toMatchObject({
        code: 'LEADER_SILENT',
        message: expect.stringContaining('another host'),
      });
    expect(asked).toEqual([]);
  });
});
