import { RecordingLog, SeededRandom } from '@understudy/shared/testing';
import { SystemClock } from '@understudy/shared/node';
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { claimText, isHeld, type LockClaim, parseClaim } from '../core/lock-claim.ts';
import { LockFiles } from './lock-files.ts';
import { sightingOf } from './process-sighting.ts';

const clock = new SystemClock();
let folder = '';
let path = '';
let own: LockClaim;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'understudy-lock-'));
  path = join(folder, 'agent.lock');
  const { bootId, pidNamespace, startTime } = await sightingOf(process.pid);
  own = { pid: process.pid, startTime: startTime ?? '', bootId, pidNamespace, member: 'shop/db-1' };
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const open: LockFiles[] = [];
afterEach(async () => {
  for (const lock of open.splice(0)) await lock.release();
});

function lockFor(claim: LockClaim, log = new RecordingLog(), paths = [path]): LockFiles {
  const lock = new LockFiles({ paths, claim, clock, random: new SeededRandom(1), log });
  open.push(lock);
  return lock;
}

/** Another process that lives until it is killed. */
async function living() {
  const child = spawn('sleep', ['60'], { stdio: 'ignore' });
  await new Promise((resolve) => child.once('spawn', resolve));
  const { startTime } = await sightingOf(child.pid ?? 0);
  return { child, claim: { ...own, pid: child.pid ?? 0, startTime: startTime ?? '' } };
}

describe('a lock', () => {
  it('is had, names its owner, and is refused to another process with the pid of the owner', async () => {
    const { child, claim } = await living();
    expect(await lockFor(claim).acquire()).toBeNull();
    expect(parseClaim(readFileSync(`${path}.1`, 'utf8'))).toEqual(claim);
    expect(await lockFor(own).acquire()).toEqual({ pid: claim.pid, where: `${path}.1` });
    child.kill('SIGKILL');
  });

  it('passes to the next one as soon as its owner was killed, reaped or not', async () => {
    const { child, claim } = await living();
    expect(await lockFor(claim).acquire()).toBeNull();
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('exit', resolve));
    expect(await lockFor(own).acquire()).toBeNull();
    expect(readdirSync(folder)).toEqual(['agent.lock.2']);
  });

  it.each([
    ['an earlier boot, or the machine this disk was copied from', { bootId: 'other' }],
    ['a process whose number somebody else has now', { startTime: '1' }],
    ['no process at all', { pid: 4_000_000 }],
  ])('of %s is nobody’s', async (_, change) => {
    writeFileSync(`${path}.7`, claimText({ ...own, pid: process.ppid, ...change }));
    expect(await lockFor(own).acquire()).toBeNull();
    expect(readdirSync(folder)).toEqual(['agent.lock.8']);
  });

  it('a half-written file is nobody’s', async () => {
    writeFileSync(`${path}.3`, '{"schemaVersion":1,"pi');
    expect(await lockFor(own).acquire()).toBeNull();
  });

  it('in another pid namespace is held while it is touched, and free some seconds after', async () => {
    writeFileSync(`${path}.1`, claimText({ ...own, pid: 7, pidNamespace: 'pid:[1]' }));
    const touch = setInterval(() => utimesSync(`${path}.1`, new Date(), new Date()), 500);
    expect(await lockFor(own).acquire()).toEqual({ pid: 7, where: `${path}.1` });
    clearInterval(touch);
    expect(await lockFor(own).acquire()).toBeNull();
  }, 60_000);

  it('of two that start at once goes to one, whatever they find there', async () => {
    for (let round = 0; round < 15; round++) {
      const at = join(folder, `round-${round}.lock`);
      writeFileSync(`${at}.4`, claimText({ ...own, bootId: 'before' }));
      const [a, b] = await Promise.all([living(), living()]);
      const outcomes = await Promise.all(
        [a, b].map(({ claim }, index) => {
          const parts = { paths: [at], claim, clock, random: new SeededRandom(index), log: new RecordingLog() };
          const lock = new LockFiles(parts);
          open.push(lock);
          return lock.acquire();
        }),
      );
      expect(outcomes.filter((holder) => holder === null)).toHaveLength(1);
      a.child.kill('SIGKILL');
      b.child.kill('SIGKILL');
    }
  }, 120_000);

  it('taken away by hand is had again; passed over by another one, it is lost to that', async () => {
    const lock = lockFor(own);
    expect(await lock.acquire()).toBeNull();
    expect(await lock.lostTo()).toBeNull();
    rmSync(`${path}.1`);
    expect(await lock.lostTo()).toBeNull();
    const { child, claim } = await living();
    writeFileSync(`${path}.9`, claimText(claim));
    expect(await lock.lostTo()).toEqual({ pid: claim.pid, where: `${path}.9` });
    child.kill('SIGKILL');
  });

  it('that cannot be had for lack of a folder is done without, and says so', async () => {
    const log = new RecordingLog();
    writeFileSync(join(folder, 'file'), '');
    expect(await lockFor(own, log, [join(folder, 'file/agent.lock')]).acquire()).toBeNull();
    expect(log.events()).toContain('agent.lock.unavailable');
  });
});

it('a claim of another namespace with a time in the future is not held for ever', () => {
  const seen = { bootId: own.bootId, pidNamespace: 'pid:[2]', startTime: null };
  expect(isHeld(own, seen, -3_600_000)).toBe(false);
  expect(isHeld(own, seen, 1_000)).toBe(true);
});
