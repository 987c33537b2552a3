import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CommandResult, type EnrolmentsView, problemDetails } from '@understudy/shared';
import { SeededRandom, SimClock } from '@understudy/shared/testing';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { buildProgram } from '../program.ts';

const VIEW: EnrolmentsView = {
  enabled: true,
  enrolments: [
    {
      ...{ member: 'db/one', instanceId: 'i-0a', address: '10.0.0.7', publicKey: 'AbCdEfGhIjKlMnOp', keyId: 2 },
      ...{ opId: null, atWallMs: 0, revision: 41, activated: false },
    },
  ],
  refused: [
    {
      ...{ member: 'db/one', instanceId: null, address: '10.9.9.9', reason: 'AddressForeign', count: 3 },
      ...{ text: 'sent from \u001b[31m10.9.9.9', lastWallMs: 0 },
    },
  ],
};
const RESULT: CommandResult = {
  ...{ command: 'reset-enrolment', text: 'the next agent is given its key', auditId: 'a-1' },
  ...{ repeated: false, dryRun: false, result: {} },
};

let folder: string;
let server: Server;
let view: EnrolmentsView;
let refuses: boolean;
let printed: string;
let sent: { readonly url: string; readonly body: Record<string, unknown>; readonly key: unknown }[];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'understudy-enrolments-'));
  writeFileSync(join(folder, 'token'), 'a-token-of-this-test-0123456789', { mode: 0o600 });
  [view, refuses, printed, sent] = [VIEW, false, '', []];
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => ((printed += String(text)), true));
  server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString('utf8')));
    request.on('end', () => {
      const { url = '', method, headers } = request;
      const body = text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
      if (method === 'POST') sent.push({ url, body, key: headers['idempotency-key'] });
      const answer = method === 'GET' ? view : { ...RESULT, dryRun: body['dryRun'] === true };
      const problem =
        refuses && method === 'POST' ? problemDetails('REVISION_STALE', 'it is another one now', 'r') : null;
      response.writeHead(problem?.status ?? 200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(problem ?? answer));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(() => {
  vi.restoreAllMocks();
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true });
});

async function run(...words: readonly string[]): Promise<string> {
  const environment = {
    UNDERSTUDY_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    UNDERSTUDY_TOKEN_FILE: join(folder, 'token'),
  };
  const program = buildProgram({
    clock: new SimClock({ wallStartMs: 60_000 }),
    random: new SeededRandom(1),
    environment,
  });
  await program.parseAsync(['node', 'understudy', 'enrolments', ...words]);
  return printed;
}

test('the list says who was given a key, who was refused and why, and nothing that a terminal obeys', async () => {
  const out = await run('list');
  expect(out).toMatch(/db\/one +i-0a \(not activated\) +10\.0\.0\.7 +2 +AbCdEfGhIjKlMnOp/);
  expect(out).toMatch(/AddressForeign +db\/one +10\.9\.9\.9 +3 /);
  expect(out).not.toContain('\u001b[31m');
  printed = '';
  expect(JSON.parse(await run('list', '--json'))).toMatchObject({ enabled: true, enrolments: [{ revision: 41 }] });
});

test('the list says so where nobody enrols', async () => {
  view = { enabled: false, enrolments: [], refused: [] };
  expect(await run('list')).toContain(
    'agents get no keys by identity here (docs/enrolment.md)\nno instance has enrolled\n',
  );
});

test('a reset names the enrolment that was shown, looks first, and is carried out once', async () => {
  const out = await run('reset', 'db/one', '--yes', '--reason', 'made anew');
  expect(sent.map(({ url, body }) => [url, body['revision'], body['dryRun'] ?? false, body['reason']])).toEqual([
    ['/v1/enrolments/db/one/reset', 41, true, 'made anew'],
    ['/v1/enrolments/db/one/reset', 41, false, 'made anew'],
  ]);
  expect(sent[1]?.key).toMatch(/^[0-9a-f]{64}$/);
  expect(out).toContain('done: the next agent is given its key\naudit a-1');
});

test('a reset of what has changed meanwhile is refused before anything is done', async () => {
  refuses = true;
  await expect(run('reset', 'db/one', '--yes', '--reason', 'x')).rejects.toThrow(/it is another one now/);
  expect(sent.map(({ body }) => body['dryRun'])).toEqual([true]);
  await expect(run('reset', 'db', '--yes', '--reason', 'x')).rejects.toThrow(/is no group/);
});
