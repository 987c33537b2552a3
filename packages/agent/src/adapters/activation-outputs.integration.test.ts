import { SystemClock } from '@understudy/shared/node';
import { RecordingLog } from '@understudy/shared/testing';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AgentConfigSchema } from '../config.ts';
import { activationOutputs } from './activation-outputs.ts';

const TARGET = 'understudy-active.target';
const clock = new SystemClock();
const PATH = process.env['PATH'];
let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'understudy outputs '));
  mkdirSync(join(folder, 'bin'));
  process.env['PATH'] = `${folder}/bin:${PATH}`;
});
afterEach(() => {
  process.env['PATH'] = PATH;
  rmSync(folder, { recursive: true, force: true });
});

/** Stands in for systemctl: writes down how it is called, and whether the assert file was there. */
function playSystemctl(answer: string): void {
  const script = [
    '#!/bin/sh',
    `if [ -e "${folder}/run/understudy/active" ]; then may=may; else may=may-not; fi`,
    `echo "$may $*" >> "${folder}/calls"`,
    answer,
  ];
  writeFileSync(join(folder, 'bin/systemctl'), `${script.join('\n')}\n`, { mode: 0o755 });
}

const calls = (): readonly string[] =>
  existsSync(join(folder, 'calls')) ? readFileSync(join(folder, 'calls'), 'utf8').trim().split('\n') : [];

function outputsWith(activation: object = {}, serve: object = {}, systemdRuns = true) {
  const log = new RecordingLog();
  const config = AgentConfigSchema.parse({
    member: 'shop/db-1',
    key: { id: 1, hex: 'ab'.repeat(32) },
    coordinators: ['127.0.0.1:1'],
    rootDir: folder,
    activation: { systemdTarget: TARGET, workloads: ['db.service'], ...activation },
    serve,
  });
  return { log, outputs: activationOutputs({ config, clock, log, systemdRuns: () => systemdRuns }) };
}

const wanted = (state: 'active' | 'standby' | 'fenced') => ({ state, incarnation: 1, instanceId: 'i-1' });
const assertFile = () => existsSync(join(folder, 'run/understudy/active'));

/** What systemd says of both units once they are down. */
const BOTH_DOWN = `[ "$1" = show ] && printf 'Id=${TARGET}\\nLoadState=loaded\\nActiveState=inactive\\n\\nId=db.service\\nLoadState=loaded\\nActiveState=failed\\n'; exit 0`;

describe('the target and the assert file', () => {
  it('the file is there before the target is started', async () => {
    playSystemctl('exit 0');
    const { outputs } = outputsWith();
    await outputs.tellTarget(true);
    expect(calls()).toEqual([`may start --no-block --no-ask-password ${TARGET}`]);
  });

  it('the file is gone before anything is stopped, and the stop is one that no restart replaces', async () => {
    playSystemctl(BOTH_DOWN);
    const { outputs } = outputsWith();
    await outputs.tellTarget(true);
    await outputs.tellTarget(false);
    const stops = calls().slice(1);
    expect(stops.every((call) => call.startsWith('may-not'))).toBe(true);
    expect(stops).toContain(
      `may-not stop --no-block --no-ask-password --job-mode=replace-irreversibly -- ${TARGET} db.service`,
    );
    expect(stops.at(-1)).toMatch(/^may-not show /);
  });

  it('the file goes with the news, before a hook that hangs', async () => {
    playSystemctl('exit 0');
    const { outputs } = outputsWith();
    await outputs.tellTarget(true);
    expect(assertFile()).toBe(true);
    await outputs.writeFile(wanted('active'));
    expect(assertFile()).toBe(true);
    await outputs.writeFile(wanted('fenced'));
    expect(assertFile()).toBe(false);
  });

  it('what does not stop is killed, and is said to be stuck when it is still up', async () => {
    playSystemctl(
      `[ "$1" = show ] && printf 'Id=${TARGET}\\nActiveState=inactive\\n\\nId=db.service\\nActiveState=deactivating\\nJob=7\\n'; exit 0`,
    );
    const { outputs, log } = outputsWith({ timeoutMs: 400 });
    await expect(outputs.tellTarget(false)).rejects.toThrow(/WORKLOAD_STUCK: still up: db.service, 5400 ms/);
    expect(calls()).toContain('may-not kill --kill-who=all --signal=SIGKILL --no-ask-password -- db.service');
    expect(log.events()).toContain('activation.workload.killed');
  });

  it('a systemctl that hangs holds nobody up: stuck within its own time', async () => {
    playSystemctl('exec sleep 1000');
    const { outputs } = outputsWith({ timeoutMs: 400 });
    const beganAtMs = clock.monotonicMs();
    await expect(outputs.tellTarget(false)).rejects.toThrow(/WORKLOAD_STUCK: systemd does not tell of/);
    expect(clock.monotonicMs() - beganAtMs).toBeLessThan(400 + 5_000 + 5_000 + 500);
    expect(calls().length).toBeGreaterThan(0);
  });

  it('a start that hangs, of the target or by hook, is ended once it is not wanted any more', async () => {
    playSystemctl('exec sleep 1000');
    const { outputs } = outputsWith({ onActivate: ['sleep', '1000'] });
    for (const start of [
      (signal: AbortSignal) => outputs.tellTarget(true, signal),
      (signal: AbortSignal) => outputs.runHook(wanted('active'), signal),
    ]) {
      const stop = new AbortController();
      const ended = start(stop.signal);
      await clock.sleep(200);
      const atMs = clock.monotonicMs();
      stop.abort();
      await expect(ended).rejects.toThrow(/not wanted any more/);
      expect(clock.monotonicMs() - atMs).toBeLessThan(4_000);
    }
    expect(calls()).toHaveLength(1);
  });

  it('where systemd does not run it counts as told, unless somebody may wait for a serve lease to run out', async () => {
    playSystemctl('exit 1');
    const without = outputsWith({}, {}, false);
    await without.outputs.tellTarget(false);
    expect(without.log.events()).toEqual(['activation.systemd.absent']);
    const kept = outputsWith({}, { leaseMs: 20_000 }, false);
    await expect(kept.outputs.tellTarget(false)).rejects.toThrow(/systemd does not run here/);
    await kept.outputs.tellTarget(true);
    expect(calls()).toEqual([]);
  });
});

describe('switching off', () => {
  it('never switches off a machine that is not its own', async () => {
    playSystemctl('exit 0');
    await expect(outputsWith().outputs.powerOff(1)).rejects.toThrow(/not the agent's own/);
    expect(calls()).toEqual([]);
  });

  it('runs the configured command', async () => {
    playSystemctl('exit 0');
    await outputsWith({}, { poweroffCommand: ['systemctl', 'played-off'] }).outputs.powerOff(1);
    expect(calls()).toEqual(['may-not played-off']);
  });
});
