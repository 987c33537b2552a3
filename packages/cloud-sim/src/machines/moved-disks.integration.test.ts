import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog } from '@understudy/shared';
import { SystemClock, SystemRandom, until } from '@understudy/shared/node';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { CloudSimConfigSchema } from '../config.ts';
import { type RunningCloudSim, startCloudSim } from '../cloud-sim-server.ts';
import { type SeededInstance, seedInstance } from '../seed-instance.ts';

/**
 * Stands in for a guest: it says whose it is at boot, and counts on its root until it is killed.
 */
const GUEST = `
const fs = require('node:fs');
const file = process.argv[process.argv.indexOf('--config') + 1];
const root = /rootDir: (.*)/.exec(fs.readFileSync(file, 'utf8'))[1];
fs.appendFileSync(root + '/boots', process.env.CLOUD_SIM_INSTANCE_ID + '\\n');
let count = 0;
setInterval(() => fs.writeFileSync(root + '/count', String(++count)), 5);
`;

const ROOT = '/dev/xvda';

let workDir: string;
let server: RunningCloudSim;

beforeEach(async () => {
  workDir = mkdtempSync(join(tmpdir(), 'cloud-sim-'));
  const guest = join(workDir, 'guest.cjs');
  writeFileSync(guest, GUEST);
  const machine = { command: [process.execPath, guest] };
  const config = { workDir, speed: 500, http: { port: 0 }, machine };
  const parts = { clock: new SystemClock(), random: new SystemRandom(), log: silentLog, env: process.env };
  server = await startCloudSim(CloudSimConfigSchema.parse(config), parts);
});

afterEach(async () => {
  await server.close();
  rmSync(workDir, { recursive: true, force: true });
});

const textOf = (volumeId: string, name: string): string => {
  const file = join(workDir, 'volumes', volumeId, name);
  return existsSync(file) ? readFileSync(file, 'utf8').trim() : '';
};

const boots = (volumeId: string): readonly string[] => textOf(volumeId, 'boots').split('\n').filter(Boolean);
const isAvailable = (volumeId: string): boolean => server.sim.core.region.volumes.get(volumeId)?.state === 'available';
const rootOf = (db: SeededInstance): string => db.volumeIds[ROOT] ?? '';
const seed = (): SeededInstance => seedInstance(server.sim, { userData: 'member: db/one\n' });

async function call(action: string, input: Record<string, unknown>): Promise<Record<string, unknown>> {
  const reply = await server.sim.call(action, input);
  if ('output' in reply) return reply.output;
  throw new Error(`${action}: ${JSON.stringify(reply)}`);
}

const admin = (path: string, body: object) =>
  fetch(`${server.url}/_sim/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

async function stop(db: SeededInstance, how: object = { SkipOsShutdown: true }): Promise<void> {
  await call('StopInstances', { InstanceIds: [db.instanceId], ...how });
  await until('stopped', () => server.sim.core.region.instances.get(db.instanceId)?.state === 'stopped');
}

async function detachRoot(db: SeededInstance): Promise<string> {
  await call('DetachVolume', { VolumeId: rootOf(db) });
  await until('detached', () => isAvailable(rootOf(db)));
  return rootOf(db);
}

test('a root that was swapped while stopped is what the next boot sees', async () => {
  const [old, fresh] = [seed(), seed()];
  await until('both boot', () => boots(rootOf(old)).length === 1 && boots(rootOf(fresh)).length === 1);
  await stop(old);
  await stop(fresh);
  const volume = await detachRoot(old);
  await detachRoot(fresh);
  await call('AttachVolume', { VolumeId: volume, InstanceId: fresh.instanceId, Device: ROOT });
  const attachment = () => server.sim.core.region.volumes.get(volume)?.attachments[0]?.state;
  await until('attached', () => attachment() === 'attached');
  await call('StartInstances', { InstanceIds: [fresh.instanceId] });
  await until('boot from it', () => boots(volume).length === 2);
  expect(boots(volume)).toEqual([old.instanceId, fresh.instanceId]);
  expect(boots(rootOf(fresh))).toEqual([fresh.instanceId]);
});

test('a root that is replaced while running is booted from, and written to, at once', async () => {
  const [old, fresh] = [seed(), seed()];
  await until('both boot', () => boots(rootOf(old)).length === 1 && boots(rootOf(fresh)).length === 1);
  await stop(old);
  const volume = await detachRoot(old);
  await call('CreateReplaceRootVolumeTask', { InstanceId: fresh.instanceId, VolumeId: volume });
  await until('boot from it', () => boots(volume).length === 2);
  const last = textOf(rootOf(fresh), 'count');
  const now = textOf(volume, 'count');
  await until('it counts on the new root', () => textOf(volume, 'count') !== now);
  expect(textOf(rootOf(fresh), 'count')).toBe(last);
});

test('a volume copy holds what was there at its request', async () => {
  const db = seed();
  await until('boot', () => textOf(rootOf(db), 'count') !== '');
  const { Volumes } = (await call('CopyVolumes', { SourceVolumeId: rootOf(db), VolumeType: 'gp3' })) as {
    Volumes: { VolumeId: string }[];
  };
  const copy = Volumes[0]?.VolumeId ?? '';
  const then = textOf(copy, 'count');
  expect(Number(then)).toBeGreaterThan(0);
  await until('the source goes on', () => Number(textOf(rootOf(db), 'count')) > Number(then));
  expect(textOf(copy, 'count')).toBe(then);
});

test('a machine in a zone that hangs stands still, and goes on from there', async () => {
  const db = seed();
  await until('boot', () => textOf(rootOf(db), 'count') !== '');
  await admin('zones/us-east-1a', { fail: 'hang' });
  const still = textOf(rootOf(db), 'count');
  await new Promise((resolve) => setTimeout(resolve, 60));
  expect(textOf(rootOf(db), 'count')).toBe(still);
  await admin('zones/us-east-1a', { heal: 'come-back' });
  await until('it goes on', () => Number(textOf(rootOf(db), 'count')) > Number(still));
  expect(boots(rootOf(db))).toHaveLength(1);
});

test('after a forced stop a guest may write on, until its disk is taken', async () => {
  const db = seed();
  await until('boot', () => textOf(rootOf(db), 'count') !== '');
  server.sim.addFault({ id: 'late', action: 'StopInstances', kind: 'late-writes', delayMs: 60_000 });
  await stop(db, { Force: true, SkipOsShutdown: true });
  const stopped = Number(textOf(rootOf(db), 'count'));
  await until('it writes although it is stopped', () => Number(textOf(rootOf(db), 'count')) > stopped);
  const volume = await detachRoot(db);
  await until('its process is gone', () => server.machines()[db.instanceId] === undefined);
  const last = textOf(volume, 'count');
  await new Promise((resolve) => setTimeout(resolve, 60));
  expect(textOf(volume, 'count')).toBe(last);
  expect(server.sim.fired('late')).toBe(1);
});

test('a script is begun and told about over HTTP', async () => {
  const deed = { fault: { id: 'slow', action: 'DetachVolume', kind: 'stuck-detach' } };
  expect((await admin('script', { name: 'x', steps: [{ at: '1s', do: deed }] })).status).toBe(200);
  await until('the step is done', () => server.sim.faults().length === 1);
  const told = (await (await fetch(`${server.url}/_sim/script`)).json()) as { steps: { state: string }[] };
  expect(told.steps.map(({ state }) => state)).toEqual(['done']);
  expect((await admin('script', { name: 'x', steps: [{ do: deed }] })).status).toBe(400);
});
