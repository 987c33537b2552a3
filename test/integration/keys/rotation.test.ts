import { statSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { until } from '@understudy/shared/node';
import { afterEach, expect, test } from 'vitest';
import { DEAD_AFTER_MS, RotationCluster, MEMBERS, SUSPECT_AFTER_MS } from './rotation-cluster.ts';

let cluster: RotationCluster;
let pids: readonly (number | undefined)[];
let states: readonly unknown[];
afterEach(() => cluster.close());

const ALL = [0, 1, 2];
const each = async (indices: readonly number[], work: (index: number) => Promise<void>) => {
  for (const index of indices) await work(index);
};

/**
 * Every member was heard by every observer all along: opinions are written on change, and none
 * changed.
 */
const nothingHappened = (from: number) => expect(cluster.opinions.slice(from)).toEqual([]);

function sameProcesses(): void {
  expect(cluster.seats.map(({ process }) => process.running)).toEqual([true, true, true]);
  expect(cluster.seats.map(({ process }) => process.pid)).toEqual(pids);
  // The boot epoch is written at every start of an agent.
  expect(MEMBERS.map((member) => cluster.storedOn(member, 'state.json'))).toEqual(states);
}

/**
 * No sequence number was left out, over all coordinators; and each went out once per coordinator.
 */
function noSequenceMissing(): void {
  for (const member of MEMBERS) {
    const perTap = cluster.seats.map(({ tap }) => tap.of(member).map(({ sequence }) => sequence));
    for (const sequences of perTap) expect(new Set(sequences).size).toBe(sequences.length);
    const all = [...new Set(perTap.flat())].sort((a, b) => (a < b ? -1 : 1));
    expect(all.length).toBeGreaterThan(20);
    expect(all.filter((sequence, i) => i > 0 && sequence !== (all[i - 1] ?? 0n) + 1n)).toEqual([]);
  }
}

/**
 * Longest time coordinator `index` got nothing under an id of `ids` from some member, since
 * `fromMs`.
 */
function longestSilenceMs(index: number, ids: readonly number[], fromMs: number): number {
  const { tap } = cluster.seat(index);
  return Math.max(
    ...MEMBERS.map((member) => {
      const times = tap.of(member).flatMap(({ keyId, atMs }) => (ids.includes(keyId) && atMs >= fromMs ? [atMs] : []));
      return Math.max(...times.map((atMs, i) => atMs - (times[i - 1] ?? fromMs)));
    }),
  );
}
const nowMs = () => cluster.seat(0).tap.seen.at(-1)?.atMs ?? 0;

/**
 * Generate, coordinators, agents, status, retire: every datagram is understood, nobody is ever
 * suspect.
 */
async function byTheBook(): Promise<void> {
  const file = cluster.masterFile(2);
  expect((await cluster.understudy('keys', 'generate', file, '--key-id', '2')).code).toBe(0);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const from = cluster.opinions.length;
  const before = await Promise.all(ALL.map((index) => cluster.counts(index)));
  const fromMs = nowMs();

  cluster.giveCoordinators(ALL, [1, 2]);
  await each(ALL, (index) => cluster.accepts(index, [1, 2]));
  const early = await cluster.says('safe to retire id 1: no, because members prod/db1, prod/db2 still use id 1', 1);
  expect(early.code).toBe(1);

  cluster.giveAgents(2);
  await each(ALL, (index) => cluster.hears(index, 2));
  await until('kept on disk', () =>
    MEMBERS.every((member) =>
      JSON.stringify(cluster.storedOn(member, 'keys.json')).includes('"candidate":null,"superseded":["1-'),
    ),
  );
  const ready = await cluster.says('safe to retire id 1: yes', 1);
  expect(ready.out).toContain('user data of prod/db1, prod/db2 names key id 1');
  expect(ready.code).toBe(0);

  cluster.giveCoordinators(ALL, [2]);
  await each(ALL, (index) => cluster.accepts(index, [2]));
  await wait(SUSPECT_AFTER_MS);

  nothingHappened(from);
  sameProcesses();
  noSequenceMissing();
  await each(ALL, async (index) => {
    const after = await cluster.counts(index);
    for (const reason of ['forged', 'replayed', 'stale', 'malformed', 'unknown-key', 'unconfirmed'])
      expect([reason, after[reason]]).toEqual([reason, before[index]?.[reason]]);
    expect(longestSilenceMs(index, [1, 2], fromMs)).toBeLessThan(SUSPECT_AFTER_MS);
  });
}

/** Agents first, one coordinator late, the old key retired too early: nobody is ever suspect. */
async function agentsFirstAndOneLate(): Promise<void> {
  cluster.writeMaster(3);
  const from = cluster.opinions.length;
  const fromMs = nowMs();
  const known = await Promise.all(ALL.map(async (index) => (await cluster.counts(index))['unknown-key'] ?? 0));

  // Nobody knows key 3: it is tried, in vain, for longer than it takes to be dead.
  cluster.giveAgents(3);
  await wait(DEAD_AFTER_MS);
  await each(ALL, async (index) => {
    await until(
      'key 3 was tried',
      async () => ((await cluster.counts(index))['unknown-key'] ?? 0) > (known[index] ?? 0),
    );
    await cluster.hears(index, 2);
    expect(longestSilenceMs(index, [2], fromMs)).toBeLessThan(SUSPECT_AFTER_MS);
  });

  // Two learn it, the third is late; the two give up key 2 long before the agents have.
  cluster.giveCoordinators([0, 1], [2, 3]);
  await each([0, 1], (index) => cluster.hears(index, 3));
  cluster.giveCoordinators([0, 1], [3]);
  await each([0, 1], (index) => cluster.accepts(index, [3]));
  const split = await cluster.says('c3 does not know id 3', 2);
  expect(split.code).toBe(1);

  // The third is given the new key in place of the old one: refused, because its members still
  // speak with that.
  cluster.giveCoordinators([2], [3]);
  const refused = await until('refused', async () => (await cluster.keys(2)).refused);
  expect(refused).toContain('key id 2 is gone from keys, but 2 members still speak with it (prod/db1, prod/db2)');
  expect((await cluster.keys(2)).accepted.map(({ id }) => id)).toEqual([2]);
  await until('the refusal is a problem on show', async () => {
    const { problems = [] } =
      (await cluster.seat(2).process.json<{ problems: { code: string }[] }>('/v1/status')) ?? {};
    return problems.some(({ code }) => code === 'KEYS_REFUSED');
  });

  cluster.giveCoordinators([2], [2, 3]);
  await cluster.hears(2, 3);
  cluster.giveCoordinators([2], [3]);
  await cluster.accepts(2, [3]);

  nothingHappened(from);
  sameProcesses();
  noSequenceMissing();
  await each(ALL, async (index) => {
    expect(longestSilenceMs(index, [2, 3], fromMs)).toBeLessThan(SUSPECT_AFTER_MS);
  });
}

/**
 * A key dropped by force while it is in use: not silence but unknown, no failover; a SIGHUP and a
 * new key end it.
 */
async function droppedByForce(): Promise<void> {
  cluster.writeMaster(4);
  const from = cluster.opinions.length;
  cluster.giveCoordinators(ALL, [4], [3]);
  for (const { process } of cluster.seats) process.signal('SIGHUP');
  await each(ALL, (index) => cluster.accepts(index, [4]));
  await until('every observer withholds its opinion', () => cluster.opinions.length - from >= 6);
  await wait(DEAD_AFTER_MS);
  for (const { verdict, reason } of cluster.opinions.slice(from))
    expect([verdict, reason]).toEqual(['unknown', 'KeyRetired']);
  await until('explained as a retired key', async () => {
    const explained = await cluster.seat(0).process.json<{ reasonCode: string }>('/v1/members/prod/db1/explain');
    return explained?.reasonCode === 'KeyRetired';
  });
  const { open, history } =
    (await cluster.seat(0).process.json<{ open: unknown[]; history: unknown[] }>('/v1/recoveries')) ?? {};
  expect([open, history]).toEqual([[], []]);

  cluster.giveAgents(4);
  await cluster.everybodyAlive(10_000);
  await each(ALL, (index) => cluster.hears(index, 4));
  for (const { verdict } of cluster.opinions.slice(from + 6)) expect(verdict).toBe('alive');
  sameProcesses();
  noSequenceMissing();
  for (const { process } of cluster.seats)
    await until('the loss is in the log', () => process.events().includes('keys.members_lost'));
}

/**
 * A replacement, booted with user data from before the first, speaks with the present key and takes
 * over.
 */
async function replacementBootsWithOldUserData(): Promise<void> {
  const old = cluster.instances.get('prod/db1');
  await until('kept on disk', () =>
    JSON.stringify(cluster.storedOn('prod/db1', 'keys.json')).includes('"current":{"id":4'),
  );
  cluster.cluster.cloud?.sim.crashInstance(old?.instanceId ?? '');
  const replaced = await until('replaced', async () => {
    const { history = [] } =
      (await cluster
        .seat(0)
        .process.json<{ history: { outcome: string; newInstanceId: string }[] }>('/v1/recoveries')) ?? {};
    return history[0];
  });
  expect(replaced.outcome).toBe('replaced');
  // In history as soon as it is closed; heard by every observer a little later, under load a good
  // deal.
  await until('the replacement speaks with the present key', async () => {
    const { members } = await cluster.keys(0);
    const one = members.find(({ member }) => member === 'prod/db1');
    return one?.instanceId === replaced.newInstanceId && one.keyId === 4;
  });
}

/** One cluster lives through all of it without a restart, as it should; so it is one case. */
test('keys are rotated under processes that run: by the book, in every wrong order, by force; and a replacement knows the last one', async () => {
  cluster = await RotationCluster.open();
  pids = cluster.seats.map(({ process }) => process.pid);
  states = MEMBERS.map((member) => cluster.storedOn(member, 'state.json'));
  await byTheBook();
  await agentsFirstAndOneLate();
  await droppedByForce();
  await replacementBootsWithOldUserData();
});
