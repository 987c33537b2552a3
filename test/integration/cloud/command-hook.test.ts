import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CloudSim, type FaultKind, inProcessService, seedInstance } from '@understudy/cloud-sim';
import { remoteCommandsOver } from '@understudy/aws';
import { runCommandHook, HooksConfigSchema } from '@understudy/coordinator/testing';
import type { HookMoment, HookOutcome } from '@understudy/shared';
import { OperationError } from '@understudy/shared';
import { RecordingLog, SimClock } from '@understudy/shared/testing';
import { afterEach, describe, expect, test } from 'vitest';

/**
 * Hooks on instances, end to end: the runner, Run Command, and the very lines that an instance
 * runs, by a real shell whose `date` is the simulated one. The script's effect is one line in a
 * file.
 */

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

function world() {
  const folder = mkdtempSync(join(tmpdir(), 'command-hook-'));
  folders.push(folder);
  const bin = join(folder, 'bin');
  const effects = join(folder, 'effects');
  mkdirSync(bin);
  const clock = new SimClock();
  const sim = new CloudSim({ clock });
  const { instanceId } = seedInstance(sim, { member: 'db/one' });
  sim.setManaged(instanceId);
  const here = { clockBehindMs: 0 };
  sim.commands.guest = (_, lines) => {
    const seconds = Math.floor((clock.wallMs() - here.clockBehindMs) / 1_000);
    writeFileSync(join(bin, 'date'), `#!/bin/sh\necho ${seconds}\n`);
    chmodSync(join(bin, 'date'), 0o755);
    // A second run that waits for a first one does not sleep in real time.
    writeFileSync(join(bin, 'sleep'), '#!/bin/sh\nexit 0\n');
    chmodSync(join(bin, 'sleep'), 0o755);
    const ran = spawnSync('/bin/sh', ['-c', lines.join('\n')], {
      env: { PATH: `${bin}:/usr/local/bin:/usr/bin:/bin` },
      encoding: 'utf8',
    });
    return { exitCode: ran.status ?? 1, output: ran.stdout, errors: ran.stderr, tookMs: 500 };
  };
  const log = new RecordingLog();
  const commands = remoteCommandsOver({ clock, callTimeoutMs: 2_000, transport: inProcessService(sim, 'ssm') });
  const parts = { commands, clock, log, guardFolder: join(folder, 'guard') };
  const run = (how: {
    readonly script?: string;
    readonly on?: string;
    readonly at?: HookMoment;
    readonly timeoutMs?: number;
    readonly whenUnreached?: 'refuse' | 'pass';
    readonly signal?: AbortSignal;
    readonly newInstanceId?: string | null;
    readonly begunAgoMs?: number;
  }): Promise<HookOutcome> => {
    const { script = `cat >>${effects}; echo >>${effects}; echo done "$UNDERSTUDY_HOOK_ID"`, ...rest } = how;
    const { on = 'predecessor', at = 'before-fence', timeoutMs = 60_000, whenUnreached = 'refuse' } = rest;
    const [command] = HooksConfigSchema.parse({ commands: [{ name: 'flush', script, on, whenUnreached }] }).commands;
    if (!command) throw new Error('no command');
    const message = {
      ...{ id: 'op-0123456789abcdef.flush.1', body: '{"why":"{{ssm:x}} \'$HOME\'"}' },
      ...{ oldInstanceId: instanceId, newInstanceId: how.newInstanceId ?? null },
      begunAtWallMs: clock.wallMs() - (how.begunAgoMs ?? 0),
    };
    const signal = how.signal ?? new AbortController().signal;
    return runCommandHook(command, { hook: { at, command: 'flush', timeoutMs }, message, signal }, parts);
  };
  const settled = (work: Promise<HookOutcome>): Promise<HookOutcome> => clock.runUntilSettled(work);
  const effectCount = (): number => (existsSync(effects) ? readFileSync(effects, 'utf8').trim().split('\n').length : 0);
  const guards = { folder: parts.guardFolder, ids: () => readdirSync(parts.guardFolder).sort() };
  return { clock, sim, instanceId, log, run, settled, effectCount, effects, here, guards };
}

test('a script runs on the instance with the facts as they are, and what it said is told', async () => {
  const w = world();
  const outcome = await w.settled(w.run({}));
  expect(outcome).toEqual({ kind: 'passed', text: 'done op-0123456789abcdef.flush.1' });
  expect(readFileSync(w.effects, 'utf8')).toBe('{"why":"{{ssm:x}} \'$HOME\'"}\n');
  expect(w.log.linesOf('hook.command.sent')).toHaveLength(1);
});

test('one that fails is told with its number and what it said, without what looks like a secret', async () => {
  const w = world();
  const outcome = await w.settled(w.run({ script: 'echo "password=hunter2 not now" >&2; exit 3' }));
  expect(outcome).toEqual({ kind: 'refused', text: 'it ended with 3: [redacted] not now' });
});

const LOST: readonly (readonly [string, FaultKind, number])[] = [
  ['a throttled call', 'throttle', 1],
  ['an internal error', 'error', 1],
  ['a reply that is lost after success', 'timeout-after-success', 1],
  ['a request that is lost', 'timeout-before', 1],
  ['another’s answer', 'foreign-answer', 1],
  ['a request that lands late', 'late-landing', 1],
  ['three replies that are lost', 'timeout-after-success', 3],
];

describe('the script has its effect once, or the hook refuses and says so', () => {
  for (const action of ['SendCommand', 'ListCommandInvocations', 'GetCommandInvocation'])
    test.each(LOST)(`${action}: %s`, async (_, kind, times) => {
      const w = world();
      w.sim.addFault({ id: 'f', action: `ssm:${action}`, kind, times, delayMs: 3_000 });
      const outcome = await w.settled(w.run({}));
      expect(w.sim.fired('f')).toBeGreaterThanOrEqual(1);
      await w.clock.runUntilSettled(w.clock.sleep(7_200_000));
      expect(w.effectCount()).toBe(1);
      expect(outcome.kind).toBe('passed');
    });

  test('delivered twice: the second does nothing, and says what the first said', async () => {
    const w = world();
    w.sim.commands.duplicated = 1;
    expect(await w.settled(w.run({}))).toMatchObject({ kind: 'passed', text: expect.stringContaining('done') });
    expect(w.sim.commands.executions).toHaveLength(2);
    expect(w.effectCount()).toBe(1);
  });

  test('a leader that follows finds the command of the one before, and sends none', async () => {
    const w = world();
    const left = new AbortController();
    const first = w.run({ signal: left.signal });
    await w.clock.runUntilSettled(w.clock.sleep(300));
    left.abort(new OperationError('LEASE_LOST', 'over'));
    expect(await w.settled(first)).toMatchObject({ kind: 'refused' });
    expect(await w.settled(w.run({}))).toMatchObject({ kind: 'passed' });
    expect(w.effectCount()).toBe(1);
    expect(w.log.linesOf('hook.command.cancelled')).toHaveLength(0);
  });

  test.each(['AccessDenied', 'wrong credentials'])('%s: it refuses at once, and nothing runs', async (how) => {
    const w = world();
    if (how === 'AccessDenied') w.sim.setDeniedActions(['ssm:SendCommand']);
    else w.sim.addFault({ id: 'f', action: 'ssm:SendCommand', kind: 'error', code: 'AuthFailure', httpStatus: 401 });
    const beganAtMs = w.clock.monotonicMs();
    expect((await w.settled(w.run({}))).kind).toBe('refused');
    expect(w.clock.monotonicMs() - beganAtMs).toBeLessThan(10_000);
    expect(w.effectCount()).toBe(0);
  });
});

describe('guards', () => {
  const DAY_MS = 86_400_000;

  test('of a month ago are removed when another hook runs, and nothing else in their folder', async () => {
    const w = world();
    const put = (name: string, agoMs: number): void => {
      mkdirSync(join(w.guards.folder, name), { recursive: true });
      writeFileSync(join(w.guards.folder, name, 'ended'), '0');
      const at = new Date(Date.now() - agoMs);
      utimesSync(join(w.guards.folder, name), at, at);
    };
    put('op-old.flush.1', 31.1 * DAY_MS);
    put('op-young.flush.1', 29 * DAY_MS);
    put('not-ours', 99 * DAY_MS);
    expect((await w.settled(w.run({}))).kind).toBe('passed');
    expect(w.guards.ids()).toEqual(['not-ours', 'op-0123456789abcdef.flush.1', 'op-young.flush.1']);
  });

  test('outlive every command of theirs: a try of more than a week is sent no more', async () => {
    const w = world();
    const outcome = await w.settled(w.run({ begunAgoMs: 7 * DAY_MS + 1 }));
    expect(outcome).toMatchObject({ kind: 'refused', text: expect.stringContaining('it is sent no more') });
    expect(w.sim.commands.invocations).toHaveLength(0);
    expect((await w.settled(w.run({ begunAgoMs: 7 * DAY_MS - 60_000 }))).kind).toBe('passed');
  });

  test('are left alone where the clock is wrong', async () => {
    const w = world();
    mkdirSync(join(w.guards.folder, 'op-old.flush.1'), { recursive: true });
    const at = new Date(Date.now() - 40 * DAY_MS);
    utimesSync(join(w.guards.folder, 'op-old.flush.1'), at, at);
    w.here.clockBehindMs = -3_600_000;
    expect((await w.settled(w.run({}))).kind).toBe('refused');
    expect(w.guards.ids()).toEqual(['op-old.flush.1']);
  });
});

describe('late', () => {
  test('a machine that comes back an hour later runs nothing, whatever it had fetched', async () => {
    const w = world();
    w.sim.setManaged(w.instanceId, { frozen: true });
    const outcome = await w.settled(w.run({ timeoutMs: 20_000 }));
    expect(outcome).toMatchObject({ kind: 'refused', text: expect.stringContaining('did not end within 20.0 s') });
    expect(outcome.text).toContain('minutes late');
    await w.clock.runUntilSettled(w.clock.sleep(3_600_000));
    w.sim.setManaged(w.instanceId, { frozen: false });
    expect(w.sim.commands.executions).toHaveLength(1);
    expect(w.effectCount()).toBe(0);
  });

  test('nor does one whose clock is an hour behind', async () => {
    const w = world();
    w.here.clockBehindMs = 3_600_000;
    expect(await w.settled(w.run({}))).toMatchObject({ kind: 'refused', text: expect.stringContaining('behind') });
    expect(w.effectCount()).toBe(0);
  });

  test('a dead machine does not keep it waiting beyond its time, and is passed over where that is wanted', async () => {
    const w = world();
    w.sim.crashInstance(w.instanceId);
    const beganAtMs = w.clock.monotonicMs();
    const outcome = await w.settled(w.run({ timeoutMs: 20_000, whenUnreached: 'pass' }));
    expect(outcome).toMatchObject({ kind: 'passed', text: expect.stringContaining('gone on without it') });
    expect(w.clock.monotonicMs() - beganAtMs).toBeLessThan(30_000);
    expect(w.log.linesOf('hook.command.cancelled')).toHaveLength(1);
  });

  test('a recovery that is called off calls the command off', async () => {
    const w = world();
    w.sim.setManaged(w.instanceId, { cutOff: true });
    const off = new AbortController();
    const work = w.run({ signal: off.signal });
    await w.clock.runUntilSettled(w.clock.sleep(5_000));
    off.abort(new Error('called off'));
    expect(await w.settled(work)).toMatchObject({ kind: 'refused', text: 'the recovery was called off' });
    w.sim.setManaged(w.instanceId, { cutOff: false });
    await w.clock.runUntilSettled(w.clock.sleep(120_000));
    expect(w.sim.commands.executions).toHaveLength(0);
  });
});

test('a predecessor that is fenced is told nothing; a successor that is not there is not waited for', async () => {
  const w = world();
  for (const at of ['after-fence', 'before-activate', 'after-activate'] as const)
    expect(await w.settled(w.run({ at }))).toMatchObject({
      kind: 'refused',
      text: expect.stringContaining('is fenced'),
    });
  expect(await w.settled(w.run({ on: 'successor' }))).toMatchObject({ kind: 'refused' });
  expect(w.sim.commands.invocations).toHaveLength(0);
});
