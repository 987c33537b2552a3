import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { API_PROBLEMS, commandsFor, HoldReasonSchema, problemDetails } from '@understudy/shared';
import { SeededRandom, SimClock } from '@understudy/shared/testing';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { buildProgram } from '../program.ts';

interface Seen {
  readonly path: string;
  readonly authorization: string | undefined;
  readonly body: unknown;
}

let seen: Seen[];
let reply: { status: number; body: object };
let server: Server;
let url: string;
let tokenFile: string;
let printed: string;

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text === '' ? null : JSON.parse(text);
}

beforeEach(async () => {
  seen = [];
  printed = '';
  const request = { member: 'prod/db1', kind: 'replan', opId: 'op-1', by: 'ann', why: 'policy corrected' };
  reply = { status: 202, body: { request, repeated: false } };
  tokenFile = join(mkdtempSync(join(tmpdir(), 'understudy-token-')), 'token');
  writeFileSync(tokenFile, 'the-token\n', { mode: 0o600 });
  server = createServer((incoming, outgoing) => {
    void bodyOf(incoming).then((body) => {
      seen.push({ path: incoming.url ?? '', authorization: incoming.headers.authorization, body });
      outgoing.writeHead(reply.status, { 'content-type': 'application/json' }).end(JSON.stringify(reply.body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed += String(text);
    return true;
  });
});
afterEach(async () => {
  vi.restoreAllMocks();
  rmSync(dirname(tokenFile), { recursive: true });
  await new Promise((resolve) => server.close(resolve));
});

function understudy(...args: readonly string[]): Promise<unknown> {
  const program = buildProgram({ clock: new SimClock(), random: new SeededRandom(1), environment: {} });
  const quiet = { writeOut: () => undefined, writeErr: () => undefined };
  for (const command of [program, ...program.commands]) command.configureOutput(quiet).exitOverride();
  return program.parseAsync(['node', 'understudy', ...args]);
}
const asked = (...args: readonly string[]) =>
  understudy(...args, '--why', 'policy corrected', '--by', 'ann', '--yes', '--url', url, '--token-file', tokenFile);

describe('operator commands', () => {
  test.each(['retry', 'replan', 'abandon', 'recover'])('%s is posted with who, why and the token', async (kind) => {
    await asked(kind, 'prod/db1');
    const body = { by: 'ann', why: 'policy corrected', opId: null, loss: null, leaveOpen: false };
    expect(seen).toEqual([{ path: `/v1/members/prod/db1/${kind}`, authorization: 'Bearer the-token', body }]);
    expect(printed).toContain('asked: replan of prod/db1 (op-1), by ann: policy corrected');
  });

  test('accept-loss names the loss, abandon may leave things open, --json is JSON', async () => {
    await asked('accept-loss', 'prod/db1', 'address:eipalloc-1', '--json');
    await asked('abandon', 'prod/db1', '--leave-open', '--op-id', 'op-1');
    expect(seen.map((one) => one.body)).toMatchObject([
      { loss: 'address:eipalloc-1', leaveOpen: false },
      { loss: null, leaveOpen: true, opId: 'op-1' },
    ]);
    expect(JSON.parse(printed.slice(0, printed.indexOf('\n}') + 2))).toEqual(reply.body);
  });

  test.each([
    ['NO_OPEN_RECOVERY', 'REQUEST_REFUSED'],
    ['UNAUTHENTICATED', 'REQUEST_REFUSED'],
    ['OPERATOR_TOKEN_MISSING', 'REQUEST_REFUSED'],
    ['MEMBER_UNKNOWN', 'MEMBER_UNKNOWN'],
    ['UNAVAILABLE', 'COORDINATOR_UNAVAILABLE'],
  ] as const)('a refusal %s is %s, with the coordinator’s own words', async (problem, code) => {
    reply = { status: API_PROBLEMS[problem].status, body: problemDetails(problem, 'because of this', 'r1') };
    await expect(asked('replan', 'prod/db1')).rejects.toMatchObject({
      code,
      message: expect.stringContaining('because of this'),
    });
  });

  test('the next coordinator is asked when one does not answer, and nobody is asked without a token or a reason', async () => {
    await understudy(
      'retry',
      'prod/db1',
      '--reason',
      'x',
      '--yes',
      '--url',
      'http://127.0.0.1:1',
      '--url',
      url,
      '--token-file',
      tokenFile,
    );
    expect(seen).toHaveLength(1);
    await expect(understudy('retry', 'prod/db1', '--why', 'x', '--yes', '--url', url)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    });
    const told = ['--url', url, '--token-file', tokenFile];
    for (const without of [['--yes'], ['--reason', 'x'], []])
      await expect(understudy('retry', 'prod/db1', ...without, ...told)).rejects.toMatchObject({ exitCode: 64 });
    expect(seen).toHaveLength(1);
  });

  describe('undo --dry-run', () => {
    const view = {
      ...{ member: 'prod/db1', opId: 'op-1', wouldBegin: true, code: '', text: '', steps: [], forecast: null },
      losses: [{ code: 'WritesSinceActivationLost', text: 'all that i-new has written' }],
      undoes: {
        ...{ opId: 'op-0', presentInstanceId: 'i-new', retainedInstanceId: 'i-old' },
        ...{ servedSinceWallMs: 0, lostMs: 1_200_000, untilWallMs: null },
      },
    };
    const look = (...args: readonly string[]) => understudy('undo', 'prod/db1', '--dry-run', '--url', url, ...args);

    test('only looks, without a token or a reason, and says what would be done and lost', async () => {
      reply = { status: 200, body: view };
      await look('--accept-loss', '20m', '--op-id', 'op-1');
      expect(seen).toMatchObject([{ path: '/v1/members/prod/db1/undo?acceptLossMs=1200000&opId=op-1', body: null }]);
      expect(printed).toContain('undo of prod/db1 (op-1): would begin now');
      expect(printed).toContain('i-new is stopped, and kept; i-old serves again');
      expect(printed).toContain('loses 20 min 0 s of writes');
      expect(printed).toContain('nothing was done');
    });

    test('ends with 1 where it would be refused, and prints why, also as JSON', async () => {
      reply = { status: 200, body: { ...view, wouldBegin: false, code: 'DisksMoved', text: 'vol-1 moved' } };
      await expect(look()).rejects.toMatchObject({ exitCode: 1 });
      expect(seen.map((one) => one.path)).toEqual(['/v1/members/prod/db1/undo']);
      expect(printed).toContain('would be refused: DisksMoved: vol-1 moved');
      printed = '';
      await expect(look('--json')).rejects.toMatchObject({ exitCode: 1 });
      expect(JSON.parse(printed)).toEqual(reply.body);
    });
  });

  test('every command a hold advises exists', () => {
    const program = buildProgram({ clock: new SimClock(), random: new SeededRandom(1), environment: {} });
    const names = program.commands.map((one) => one.name());
    const advised = HoldReasonSchema.options
      .flatMap((reason) => commandsFor(reason, 'g/m'))
      .map((one) => one.split(' '));
    for (const [tool, name] of advised) if (tool === 'understudy') expect(names).toContain(name);
  });
});
