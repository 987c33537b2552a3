import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SystemClock } from '@understudy/shared/node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { HooksConfigSchema } from '../../hooks/hooks-config.ts';
import { signedHeaders } from '../../notices/webhook.ts';
import { redacted } from '../../hooks/redacted.ts';
import { hookRunner } from './hook-runner.ts';

const MESSAGE = {
  ...{ id: 'op-1.drain.1', body: '{"member":"db/primary"}' },
  ...{ oldInstanceId: 'i-0', newInstanceId: null, begunAtWallMs: 0 },
};
const SECRET = new Uint8Array(24).fill(7);

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'hooks-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function program(name: string, lines: string): string {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\n${lines}\n`);
  chmodSync(path, 0o755);
  return path;
}

const AT = 'before-fence';

const runnerOf = (config: object) =>
  hookRunner({ config: HooksConfigSchema.parse(config), clock: new SystemClock(), secretOf: () => SECRET });

const run = (argv: readonly string[], how: { timeoutMs?: number; signal?: AbortSignal; env?: object } = {}) =>
  runnerOf({ programs: [{ name: 'one', argv, env: how.env ?? {} }] })(
    { at: AT, program: 'one', timeoutMs: how.timeoutMs ?? 5_000 },
    MESSAGE,
    how.signal ?? new AbortController().signal,
  );

describe('a program', () => {
  test('gets the facts on its standard input, its words as they are, and nothing of our environment', async () => {
    process.env.HOOK_TEST_CREDENTIAL = 'ours';
    const path = program('facts', 'cat; echo; echo "$1|$2|$GREETING|$HOOK_TEST_CREDENTIAL|$UNDERSTUDY_HOOK_ID"');
    const outcome = await run([path, 'a b; rm -rf /', '$HOME'], { env: { GREETING: 'hello' } });
    delete process.env.HOOK_TEST_CREDENTIAL;
    expect(outcome).toEqual({
      ...{ kind: 'passed' },
      text: `${MESSAGE.body}␊a b; rm -rf /|$HOME|hello||${MESSAGE.id}`,
    });
  });

  test('that does not end well is told with its number and what it said', async () => {
    const path = program('refuses', 'echo "not now" >&2; exit 3');
    expect(await run([path])).toEqual({ kind: 'refused', text: 'it ended with 3: not now' });
  });

  test('that does not end is ended, with everything it has begun', async () => {
    const left = join(folder, 'left');
    const path = program('hangs', `trap '' TERM; (sleep 6; touch ${left}) & sleep 30`);
    expect(await run([path], { timeoutMs: 1_000 })).toMatchObject({
      ...{ kind: 'refused', text: expect.stringContaining('did not end within 1.0 s') },
    });
    await new Promise((resolve) => setTimeout(resolve, 4_500));
    expect(existsSync(left)).toBe(false);
  }, 20_000);

  test('is ended when we do not lead any more', async () => {
    const leading = new AbortController();
    const path = program('waits', 'sleep 30');
    const work = run([path], { signal: leading.signal });
    setTimeout(() => leading.abort(), 200);
    expect(await work).toMatchObject({ kind: 'refused', text: expect.stringContaining('does not lead') });
  });

  test('that does not exist, or says more than anybody reads, does no harm', async () => {
    expect(await run(['/nowhere/at/all'])).toMatchObject({ kind: 'refused' });
    const path = program('talks', 'yes talk | head -c 1000000');
    const { text } = await run([path]);
    expect(text.length).toBeLessThanOrEqual(4_096);
  });
});

describe('what a policy names', () => {
  test('is only run where the configuration has it', async () => {
    const signal = new AbortController().signal;
    const runHook = runnerOf({});
    expect(await runHook({ at: AT, program: '/bin/sh', timeoutMs: 1_000 }, MESSAGE, signal)).toMatchObject({
      ...{ kind: 'refused', text: expect.stringContaining('hooks.programs') },
    });
    expect(await runHook({ at: AT, webhook: 'x', timeoutMs: 1_000 }, MESSAGE, signal)).toMatchObject({
      kind: 'refused',
    });
  });
  test.each([[['sh', '-c', 'x']], [['./hook']], [[]]])('is no program by %j', (argv) =>
    expect(HooksConfigSchema.safeParse({ programs: [{ name: 'x', argv }] }).success).toBe(false),
  );
});

test('a webhook is signed, has the id twice, and passes by its status', async () => {
  const seen: { headers: IncomingHttpHeaders; body: string }[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (part) => (body += String(part)));
    request.on('end', () => {
      seen.push({ headers: request.headers, body });
      response.writeHead(request.url === '/no' ? 409 : 204).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const webhooks = ['yes', 'no'].map((name) => ({ name, url: `${base}/${name}`, secretFile: '/x' }));
  const runHook = runnerOf({ webhooks });
  const ask = (webhook: string) =>
    runHook({ at: AT, webhook, timeoutMs: 2_000 }, MESSAGE, new AbortController().signal);
  try {
    expect(await ask('yes')).toEqual({ kind: 'passed', text: 'HTTP 204' });
    expect(await ask('no')).toEqual({ kind: 'refused', text: 'HTTP 409' });
    const { headers, body } = seen[0] ?? { headers: {}, body: '' };
    const sentAtWallMs = Number(headers['webhook-timestamp']) * 1_000;
    const expected = signedHeaders(SECRET, { id: MESSAGE.id, body, nowWallMs: sentAtWallMs });
    expect(headers).toMatchObject({ ...expected, 'idempotency-key': MESSAGE.id });
    expect(body).toBe(MESSAGE.body);
  } finally {
    server.close();
  }
});

test.each([
  ['key=AKIAIOSFODNN7EXAMPLE', '[redacted]'],
  ['got AKIAIOSFODNN7EXAMPLE here', 'got [redacted] here'],
  ['password: hunter2 wrong', '[redacted] wrong'],
  ['Authorization: Bearer abc.def', 'Authorization: [redacted]'],
  ['plain words', 'plain words'],
])('%s is told as %s', (text, expected) => expect(redacted(text)).toBe(expected));
