import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer as createHttp, type RequestListener, type Server as HttpServer } from 'node:http';
import { createServer as createHttps } from 'node:https';
import { connect, createServer as createTcp, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTls } from 'node:tls';
import { ServiceProbeSchema } from '@understudy/shared';
import { SystemClock } from '@understudy/shared/node';
import { RecordingLog } from '@understudy/shared/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { serviceProbes } from './service-probes.ts';

const clock = new SystemClock();
const log = new RecordingLog();
const probeService = serviceProbes({ clock, log });
const HOST = '127.0.0.1';
const TIMEOUT_MS = 400;

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** Every connection it ever had, to see that none is left. */
interface Listening {
  readonly port: number;
  readonly sockets: Set<Socket>;
}

async function listen(server: Server | HttpServer): Promise<Listening> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => void server.listen(0, HOST, resolve));
  closers.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  return { port: typeof address === 'object' && address ? address.port : 0, sockets };
}

async function look(probe: object, port: number, signal = new AbortController().signal) {
  const parsed = ServiceProbeSchema.parse({ timeoutMs: TIMEOUT_MS, port, ...probe });
  return probeService(parsed, { address: HOST, port }, TIMEOUT_MS, signal);
}

/** A server that reads what it gets, or it would not notice an end. */
const raw = (behave: (socket: Socket) => unknown): Server =>
  createTcp((socket) => {
    behave(socket);
    socket.resume();
  });

/** The peer has seen the connection end. */
async function untilGone({ sockets }: Listening): Promise<void> {
  const deadlineMs = clock.monotonicMs() + 2_000;
  while (sockets.size > 0 && clock.monotonicMs() < deadlineMs) await clock.sleep(5);
  expect(sockets.size).toBe(0);
}

/** A port on which nobody listens. */
async function deserted(): Promise<number> {
  const server = createTcp();
  await new Promise<void>((resolve) => void server.listen(0, HOST, resolve));
  const address = server.address();
  await new Promise<void>((resolve) => void server.close(() => resolve()));
  return typeof address === 'object' && address ? address.port : 0;
}

/**
 * A process that is stuck and never accepts: what fits into the backlog is accepted by the kernel,
 * the rest of the SYNs are dropped.
 */
async function stuckProcess(): Promise<{ readonly port: number; readonly child: ChildProcess }> {
  const code = `require('node:net').createServer().listen({ port: 0, host: '${HOST}', backlog: 1 }, function () {
    require('node:fs').writeSync(1, String(this.address().port) + '\\n');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  });`;
  const child = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'ignore'] });
  closers.push(() => void child.kill('SIGKILL'));
  const port = await new Promise<number>((resolve) => child.stdout?.once('data', (text) => resolve(Number(text))));
  return { port, child };
}

async function fillBacklog(port: number): Promise<void> {
  for (let i = 0; i < 8; i++) {
    const socket = connect({ host: HOST, port });
    socket.on('error', () => undefined);
    closers.push(() => socket.destroy());
  }
  await clock.sleep(50);
}

const passing = { host: 'answered', code: 'Passing' };

describe('a TCP probe', () => {
  it('passes where somebody listens, and leaves no connection', async () => {
    const listening = await listen(createTcp());
    expect(await look({ kind: 'tcp' }, listening.port)).toMatchObject(passing);
    await untilGone(listening);
  });

  it('a refusal: the service fails, the host lives', async () => {
    expect(await look({ kind: 'tcp' }, await deserted())).toMatchObject({ host: 'answered', code: 'Refused' });
  });

  it('dropped SYNs are silence, and take no longer than the deadline', async () => {
    const { port } = await stuckProcess();
    await fillBacklog(port);
    const fromMs = clock.monotonicMs();
    expect(await look({ kind: 'tcp' }, port)).toMatchObject({ host: 'silent', code: 'Timeout' });
    const tookMs = clock.monotonicMs() - fromMs;
    expect(tookMs).toBeGreaterThanOrEqual(TIMEOUT_MS - 5);
    expect(tookMs).toBeLessThan(TIMEOUT_MS + 1_000);
  });

  it('aborted, or never begun, it proves nothing', async () => {
    const { port } = await stuckProcess();
    await fillBacklog(port);
    const abort = new AbortController();
    const looking = look({ kind: 'tcp' }, port, abort.signal);
    abort.abort();
    const nothing = { host: 'not-sent', code: 'NotSent' };
    expect(await looking).toMatchObject(nothing);
    expect(await look({ kind: 'tcp' }, port, abort.signal)).toMatchObject(nothing);
  });

  it.runIf(process.platform === 'linux')('an address nobody can be reached at from here is our own fault', async () => {
    const probe = ServiceProbeSchema.parse({ kind: 'tcp', port: 1 });
    // Broadcast: connect(2) refuses it with EACCES or ENETUNREACH, and nothing is sent.
    const report = await probeService(
      probe,
      { address: '255.255.255.255', port: 1 },
      TIMEOUT_MS,
      new AbortController().signal,
    );
    expect(report).toMatchObject({ host: 'not-sent', code: 'NotSent' });
  });
});

describe('an HTTP probe', () => {
  const serve = (handler: RequestListener) => listen(createHttp(handler));

  it('passes by status, asks with its own name and closes the connection', async () => {
    const seen: (string | undefined)[] = [];
    const listening = await serve((request, response) => {
      seen.push(request.url, request.headers['user-agent'], request.headers.connection, request.headers.host);
      response.end('x');
    });
    const { port } = listening;
    expect(await look({ kind: 'http', path: '/health?x=1', serverName: 'db.example' }, port)).toMatchObject(passing);
    expect(seen).toEqual(['/health?x=1', 'understudy-probe', 'close', `db.example:${port}`]);
    await untilGone(listening);
  });

  it.each([500, 503, 302, 404])('status %i fails by default; the host lives', async (status) => {
    const { port } = await serve((_, response) => void response.writeHead(status, { location: '/' }).end());
    expect(await look({ kind: 'http' }, port)).toEqual({
      host: 'answered',
      code: 'HttpStatus',
      httpStatus: status,
      expiresSoon: false,
    });
    expect(await look({ kind: 'http', expectStatus: [status] }, port)).toMatchObject(passing);
  });

  it('a body without the text fails, one with it across two chunks passes', async () => {
    const { port } = await serve((_, response) => {
      response.write('{"role":"pri');
      setTimeout(() => response.end('mary"}'), 20);
    });
    expect(await look({ kind: 'http', bodyContains: '"primary"' }, port)).toMatchObject(passing);
    expect(await look({ kind: 'http', bodyContains: '"standby"' }, port)).toMatchObject({ code: 'BodyWithoutText' });
  });

  it('of a huge body no more than 64 KiB are read', async () => {
    let sentBytes = 0;
    const listening = await serve((_, response) => {
      const chunk = Buffer.alloc(16_384, 'a');
      const more = () => {
        while (!response.destroyed && sentBytes < 1_000_000_000) {
          sentBytes += chunk.length;
          if (!response.write(chunk)) return void response.once('drain', more);
        }
      };
      more();
    });
    expect(await look({ kind: 'http', bodyContains: 'b' }, listening.port)).toMatchObject({ code: 'BodyWithoutText' });
    await untilGone(listening);
    // What the kernel's buffers hold comes on top of it.
    expect(sentBytes).toBeLessThan(16_000_000);
  });

  it.each(['header', 'body'])('a byte now and then gains nothing: slow %s', async (part) => {
    let dripped = 0;
    const listening = await listen(
      createTcp((socket) => {
        socket.write(part === 'header' ? 'HTTP/1.1 200 OK\r\n' : 'HTTP/1.1 200 OK\r\ncontent-length: 9999\r\n\r\n');
        const drip = setInterval(() => {
          dripped++;
          socket.write('x');
        }, 30);
        socket.on('close', () => clearInterval(drip));
        socket.on('error', () => clearInterval(drip));
      }),
    );
    const fromMs = clock.monotonicMs();
    const report = await look({ kind: 'http', bodyContains: 'y' }, listening.port);
    expect(report).toMatchObject({ host: 'answered', code: 'Timeout' });
    expect(clock.monotonicMs() - fromMs).toBeLessThan(TIMEOUT_MS + 1_000);
    expect(dripped).toBeGreaterThan(3);
    await untilGone(listening);
  });

  it.each([
    ['closes at once', (socket: Socket) => socket.end(), 'ClosedEarly'],
    ['resets', (socket: Socket) => socket.once('data', () => socket.resetAndDestroy()), 'Reset'],
    ['closes in the middle of its headers', (socket: Socket) => socket.end('HTTP/1.1 200 OK\r\nx: '), 'ClosedEarly'],
    ['speaks no HTTP', (socket: Socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n'), 'HttpMalformed'],
    [
      'sends endless headers',
      (socket: Socket) => socket.write(`HTTP/1.1 200 OK\r\nx: ${'a'.repeat(100_000)}`),
      'HttpMalformed',
    ],
    ['accepts and says nothing', () => undefined, 'Timeout'],
  ] as const)('a server that %s', async (_, behave, code) => {
    const listening = await listen(raw(behave));
    expect(await look({ kind: 'http' }, listening.port)).toMatchObject({ host: 'answered', code });
    await untilGone(listening);
  });

  it('a refusal and dropped SYNs are as with TCP', async () => {
    expect(await look({ kind: 'http' }, await deserted())).toMatchObject({ host: 'answered', code: 'Refused' });
    const { port } = await stuckProcess();
    // The kernel accepts for a stuck process: a TCP probe passes, an HTTP probe does not.
    expect(await look({ kind: 'tcp' }, port)).toMatchObject(passing);
    expect(await look({ kind: 'http' }, port)).toMatchObject({ host: 'answered', code: 'Timeout' });
    await fillBacklog(port);
    expect(await look({ kind: 'http' }, port)).toMatchObject({ host: 'silent', code: 'Timeout' });
  });
});

function hasOpenssl(): boolean {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

describe.runIf(hasOpenssl())('a TLS probe', () => {
  let folder = '';
  const file = (name: string) => join(folder, name);
  const certificate = (name: string) => ({
    key: readFileSync(file(`${name}.key`)),
    cert: readFileSync(file(`${name}.pem`)),
  });

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'understudy-probe-'));
    const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' });
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
    openssl('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '90', '-subj', '/CN=test ca');
    const sign = (name: string, alternative: string, ...validity: string[]) => {
      openssl(
        'req',
        ...key,
        '-keyout',
        `${name}.key`,
        '-out',
        `${name}.csr`,
        '-subj',
        `/CN=${name}`,
        '-addext',
        `subjectAltName=${alternative}`,
      );
      const from = ['-in', `${name}.csr`, '-out', `${name}.pem`, '-copy_extensions', 'copy'];
      openssl('x509', '-req', ...from, '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', ...validity);
    };
    sign('good', `DNS:db.example,IP:${HOST}`, '-days', '60');
    sign('short', `DNS:db.example,IP:${HOST}`, '-days', '3');
    sign('expired', `DNS:db.example,IP:${HOST}`, '-days', '-1');
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const serveTls = (name: string) => listen(createTls(certificate(name)));
  const trusting = { kind: 'tls', serverName: 'db.example' } as const;

  it('passes with a certificate that holds, by name and by address, and leaves no connection', async () => {
    const listening = await serveTls('good');
    const caFile = file('ca.pem');
    expect(await look({ ...trusting, caFile }, listening.port)).toEqual({
      host: 'answered',
      code: 'Passing',
      httpStatus: null,
      expiresSoon: false,
    });
    expect(await look({ kind: 'tls', caFile }, listening.port)).toMatchObject(passing);
    await untilGone(listening);
  });

  it('a wrong name, an unknown authority and an expired certificate are told apart; unverified they pass', async () => {
    const caFile = file('ca.pem');
    const good = await serveTls('good');
    const wrongName = { ...trusting, serverName: 'other.example' };
    expect(await look({ ...wrongName, caFile }, good.port)).toMatchObject({ code: 'CertificateWrongName' });
    expect(await look(trusting, good.port)).toMatchObject({ code: 'CertificateUntrusted' });
    const expired = await serveTls('expired');
    expect(await look({ ...trusting, caFile }, expired.port)).toMatchObject({
      host: 'answered',
      code: 'CertificateExpired',
    });
    for (const { port } of [good, expired])
      expect(await look({ ...wrongName, verify: false }, port)).toMatchObject(passing);
  });

  it('a certificate with few days left passes, with a warning', async () => {
    const { port } = await serveTls('short');
    const caFile = file('ca.pem');
    expect(await look({ ...trusting, caFile }, port)).toMatchObject({ ...passing, expiresSoon: true });
    expect(await look({ ...trusting, caFile, warnExpiryDays: 2 }, port)).toMatchObject({ expiresSoon: false });
    expect(await look({ ...trusting, caFile, warnExpiryDays: 0 }, port)).toMatchObject({ expiresSoon: false });
  });

  it.each([
    ['closes at once', (socket: Socket): unknown => socket.end(), 'ClosedEarly'],
    ['speaks no TLS', (socket: Socket): unknown => socket.end('220 smtp\r\n'), 'TlsFailed'],
    ['accepts and says nothing', () => undefined, 'Timeout'],
  ] as const)('a server that %s', async (_, behave, code) => {
    const listening = await listen(raw(behave));
    expect(await look(trusting, listening.port)).toMatchObject({ host: 'answered', code });
    await untilGone(listening);
  });

  it('a refusal and dropped SYNs are as with TCP', async () => {
    expect(await look(trusting, await deserted())).toMatchObject({ host: 'answered', code: 'Refused' });
    const { port } = await stuckProcess();
    await fillBacklog(port);
    expect(await look(trusting, port)).toMatchObject({ host: 'silent', code: 'Timeout' });
  });

  it('without the file of authorities nothing is said of the service, but the host is seen', async () => {
    const { port } = await serveTls('good');
    const caFile = file('missing.pem');
    expect(await look({ ...trusting, caFile }, port)).toMatchObject({ host: 'answered', code: 'NotSent' });
    expect(log.lines).toContainEqual(expect.objectContaining({ event: 'service_probe.ca_unreadable' }));
  });

  it('HTTPS: passes, and finds a wrong name', async () => {
    const listening = await listen(createHttps(certificate('good'), (_, response) => void response.end('ok')));
    const probe = { kind: 'http', tls: true, caFile: file('ca.pem'), bodyContains: 'ok' };
    expect(await look({ ...probe, serverName: 'db.example' }, listening.port)).toMatchObject(passing);
    expect(await look({ ...probe, serverName: 'other.example' }, listening.port)).toMatchObject({
      host: 'answered',
      code: 'CertificateWrongName',
    });
    await untilGone(listening);
  });

  it('HTTPS to a server that speaks plain HTTP', async () => {
    const { port } = await listen(createHttp((_, response) => void response.end()));
    expect(await look({ kind: 'http', tls: true, verify: false }, port)).toMatchObject({
      host: 'answered',
      code: 'TlsFailed',
    });
  });
});
