import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SimClock } from '@understudy/shared/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { memberOf } from '../member.fixtures.ts';
import { knownNames } from './known-names.ts';

let folder: string;
let server: Server;
let asked: number;
let silent: boolean;
let names: readonly string[];
let choice: { url: string[] };

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'understudy-names-'));
  [asked, silent, names] = [0, false, ['db/one']];
  server = createServer((request, response) => {
    asked += 1;
    if (silent) return;
    const members = names.map((member) => memberOf({ member: member as 'db/one' }));
    const body = request.url === '/v1/members' ? { members } : { open: [], history: [] };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  choice = { url: [`127.0.0.1:${(server.address() as AddressInfo).port}`] };
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true });
});
const ask = (clock: SimClock) => knownNames(choice, { XDG_CACHE_HOME: folder }, clock);

describe('the names a shell is offered', () => {
  it('come from the cluster, and for ten seconds from the cache', async () => {
    const clock = new SimClock();
    expect((await ask(clock)).members).toEqual(['db/one']);
    const before = asked;
    expect((await ask(clock)).members).toEqual(['db/one']);
    expect(asked).toBe(before);
    await clock.advance(10_000);
    expect((await ask(clock)).members).toEqual(['db/one']);
    expect(asked).toBeGreaterThan(before);
  });

  it('are none after 300 ms of silence', async () => {
    silent = true;
    const clock = new SimClock();
    const asking = ask(clock);
    while (asked < 2) await new Promise((resolve) => setImmediate(resolve));
    await clock.advance(300);
    expect((await asking).members).toEqual([]);
  });

  it('are none where there is no cluster, or a file is refused', async () => {
    expect((await knownNames({ context: 'gone' }, { XDG_CONFIG_HOME: folder }, new SimClock())).members).toEqual([]);
    expect((await knownNames({ url: ['nonsense'] }, {}, new SimClock())).members).toEqual([]);
  });

  it('never hold anything that a shell could run', async () => {
    names = ['db/one', 'db/two'];
    const evil = ['$(touch x)', '`id`', 'a;b', 'a b', '-rf', 'a\nb', "a'b"];
    const clock = new SimClock();
    expect((await ask(clock)).members).toEqual(['db/one', 'db/two']);
    names = [...evil];
    await clock.advance(10_000);
    expect((await ask(clock)).members).toEqual([]);
  });
});
