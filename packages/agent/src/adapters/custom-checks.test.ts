import { SystemClock } from '@understudy/shared/node';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { StoppableListener } from '../agent-process.fixtures.ts';
import { ChecksFields } from '../config-checks.ts';
import { customCheck } from './custom-checks.ts';

const clock = new SystemClock();
const closing: (() => unknown)[] = [];
let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'understudy-custom-'));
});
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
  rmSync(folder, { recursive: true, force: true });
});

function checkOf(config: object) {
  const [parsed] = ChecksFields.parse({ custom: [{ name: 'mine', ...config }] }).custom;
  if (!parsed) throw new Error('no check');
  return customCheck(parsed, { clock, env: { UNDERSTUDY_MEMBER: 'shop/db-1' } });
}

async function look(check: ReturnType<typeof checkOf>, deadlineMs = 5_000): Promise<string> {
  const { status, code, detail = '' } = await check.run(AbortSignal.timeout(deadlineMs));
  return `${status} ${code}${detail && `: ${detail}`}`;
}

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => server.close());
  return (server.address() as AddressInfo).port;
}

describe('exec', () => {
  const script = (text: string) => checkOf({ exec: ['/bin/sh', '-c', text] });

  it.each([
    ['exit 0', 'pass none'],
    ['echo lag 900 s >&2; exit 2', 'fail commandFailed: exit code 2: lag 900 s'],
    ['kill -9 $$', 'fail commandFailed: killed: '],
    ['test "$UNDERSTUDY_MEMBER" = shop/db-1', 'pass none'],
    ['exec 3>&-; i=0; while [ $i -lt 20000 ]; do echo much output; i=$((i + 1)); done', 'pass none'],
  ])('%s', async (text, expected) => {
    expect(await look(script(text))).toBe(expected);
  });

  it('a program that is not there', async () => {
    expect(await look(checkOf({ exec: ['/nope/check'] }))).toMatch(
      /^fail commandFailed: no such program: .*\/nope\/check/,
    );
  });

  it('one that does not end is killed with everything it started', async () => {
    const pidFile = join(folder, 'pid');
    expect(await look(script(`sleep 60 & echo $! > ${pidFile}; wait`), 300)).toBe(
      'fail commandFailed: not done within the deadline',
    );
    const pid = readFileSync(pidFile, 'utf8').trim();
    for (let i = 0; i < 100 && alive(pid); i++) await clock.sleep(20);
    expect(alive(pid)).toBe(false);
  });

  it('one that cannot be killed is not started a second time beside itself', async () => {
    const starts = join(folder, 'starts');
    // The process is out of reach of the kill of its group, as a process in the kernel is. It holds
    // the output.
    const check = script(`echo x >> ${starts}; exec setsid sleep 1`);
    for (let i = 0; i < 3; i++) expect(await look(check, 100)).toContain('not done within the deadline');
    expect(readFileSync(starts, 'utf8')).toBe('x\n');
  });
});

const alive = (pid: string): boolean =>
  existsSync(`/proc/${pid}/stat`) && !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');

describe('http', () => {
  async function answering(status: number): Promise<string> {
    const server = createServer((request, response) => {
      if (status === 0) return;
      response.writeHead(status).end(request.url === '/health' ? 'ok' : 'lost');
    });
    closing.push(() => server.closeAllConnections());
    return `http://127.0.0.1:${await listening(server)}/health`;
  }

  it.each([
    [200, {}, 'pass none'],
    [302, {}, 'pass none'],
    [503, {}, 'fail httpFailed: status 503'],
    [404, {}, 'fail httpFailed: status 404'],
    [200, { status: 204 }, 'fail httpFailed: status 200'],
    [503, { status: 503 }, 'pass none'],
  ])('status %i with %o', async (status, more, expected) => {
    expect(await look(checkOf({ http: await answering(status), ...more }))).toBe(expected);
  });

  it('no answer within the deadline, and nobody there', async () => {
    expect(await look(checkOf({ http: await answering(0) }), 200)).toMatch(/^fail httpFailed: /);
    expect(await look(checkOf({ http: 'http://127.0.0.1:1/' }))).toMatch(/^fail httpFailed: .*ECONNREFUSED/);
  });
});

describe('tcp', () => {
  it('accepted', async () => {
    const port = await listening(createTcpServer((socket) => socket.destroy()));
    expect(await look(checkOf({ tcp: `127.0.0.1:${port}` }))).toBe('pass none');
  });

  it('refused, and silent because the process is stopped', async () => {
    expect(await look(checkOf({ tcp: '127.0.0.1:1' }))).toBe('fail tcpFailed: 127.0.0.1:1 refused');
    const listener = await StoppableListener.open();
    closing.push(() => listener.close());
    const { port } = listener;
    expect(await look(checkOf({ tcp: `127.0.0.1:${port}` }))).toBe('pass none');
    await listener.stop();
    expect(await look(checkOf({ tcp: `127.0.0.1:${port}` }), 300)).toBe(`fail tcpFailed: 127.0.0.1:${port} silent`);
  });
});
