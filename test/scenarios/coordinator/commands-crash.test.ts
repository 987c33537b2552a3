import type { Command, CommandAnswer } from '@understudy/coordinator/testing';
import type { KvTxn } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { auditOf, command } from './commanding.ts';
import type { Node } from './node.ts';
import { KEYS, ScenarioCluster } from './scenario-cluster.ts';

const BY = { key: 'k1' } as const;

interface Wanted {
  readonly name: string;
  readonly asked: (world: ScenarioCluster) => Command;
  /** Before it is asked. */
  readonly before?: (world: ScenarioCluster) => Promise<unknown>;
  /** Records under which it has to be seen, and how many there are then. */
  readonly area: string;
  readonly count: number;
}

const idOf = (node: Node | null | undefined) => node?.coordinator.controls.pauses().coordinatorId ?? '';
const followerOf = (world: ScenarioCluster) => idOf(world.nodes.find((one) => !one.leads && !one.stopped));
const pause = { kind: 'pause', scope: 'group/prod', untilWallMs: null, replaces: null } as const;

const WANTED: readonly Wanted[] = [
  { name: 'pause', asked: () => pause, area: KEYS.pauses, count: 1 },
  {
    name: 'resume',
    before: async (world) => {
      await command(world, pause);
      await world.clock.advance(1_000);
    },
    asked: () => ({ kind: 'resume', scope: 'group/prod', revision: null }),
    ...{ area: KEYS.pauses, count: 0 },
  },
  {
    name: 'apply',
    asked: () => ({
      kind: 'apply-policies',
      groups: ['a', 'b'].map((group) => ({ group, policy: { guard: { cooldownMs: 1 } }, revision: 0 })),
    }),
    ...{ area: KEYS.groups, count: 2 },
  },
  {
    name: 'drain',
    asked: () => ({ kind: 'drain', coordinatorId: 'c3', untilWallMs: null, override: true }),
    ...{ area: KEYS.drains, count: 1 },
  },
  {
    name: 'transfer',
    asked: (world) => ({ kind: 'transfer', to: followerOf(world) }),
    ...{ area: KEYS.transfer, count: 1 },
  },
];

async function stage({ before }: Wanted): Promise<ScenarioCluster> {
  const world = new ScenarioCluster();
  world.seed('prod/db1');
  world.seed('prod/db2', { az: 'us-east-1b' });
  await world.up();
  await before?.(world);
  return world;
}

/** The transaction of a command: only those write an audit record. */
const isCommands = (txn: KvTxn) => txn.writes.some((write) => write.kind === 'put' && write.key.startsWith(KEYS.audit));

async function send(world: ScenarioCluster, asked: Command, node: Node): Promise<CommandAnswer> {
  return command(world, asked, { ...BY, node });
}

/** As a person does whose answer was lost: the same again, to whoever leads. */
async function askAgain(world: ScenarioCluster, asked: Command): Promise<CommandAnswer> {
  await world.until('somebody leads', () => world.leader() !== null, 120_000);
  await world.clock.advance(3_000);
  return command(world, asked, BY);
}

function checkOnce(world: ScenarioCluster, { area, count }: Wanted, kind: string): void {
  expect(world.kv.entries(area)).toHaveLength(count);
  expect(auditOf(world).filter((one) => one.kind === kind)).toHaveLength(1);
  expect(world.kv.entries(KEYS.answers)).toHaveLength(1);
  world.expectHealthy();
}

describe.each(WANTED)('$name', (wanted) => {
  test.each(['dropRequest', 'loseReply', 'landLate'] as const)(
    'with %s is done once, and answered so',
    async (kind) => {
      const world = await stage(wanted);
      const node = world.mustLead();
      const asked = wanted.asked(world);
      const before = node.kv.fired[kind];
      node.kv.inject({ kind, operation: 'txn', matching: isCommands, delayMs: 8_000 });
      await send(world, asked, node);
      expect(node.kv.fired[kind]).toBe(before + 1);
      await world.clock.advance(20_000);
      const again = await askAgain(world, asked);
      expect(again).toMatchObject({ kind: 'done' });
      checkOnce(world, wanted, asked.kind);
    },
  );

  test.each(['dropRequest', 'loseReply', 'landLate'] as const)(
    'whose leader dies while it is carried out (%s) is done once by asking again',
    async (kind) => {
      const world = await stage(wanted);
      const node = world.mustLead();
      const asked = wanted.asked(world);
      node.kv.inject({ kind, operation: 'txn', matching: isCommands, times: 100, delayMs: 60_000 });
      const before = node.kv.fired[kind];
      const sent = node.coordinator.controls.command({
        ...{ command: asked, reason: 'a test', idempotencyKey: 'k1' },
        caller: { identity: 'ann', from: '192.0.2.7', requestId: 'r' },
      });
      sent.catch(() => undefined);
      await world.clock.advance(200);
      expect(node.kv.fired[kind]).toBeGreaterThan(before);
      world.kill(node);
      const again = await askAgain(world, asked);
      expect(again).toMatchObject({ kind: 'done' });
      await world.clock.advance(90_000);
      // The one that was named may have been elected meanwhile, and then nothing is left to do.
      const isSo = asked.kind === 'transfer' && again.kind === 'done' && again.auditId === null;
      if (isSo) expect([idOf(world.mustLead()), auditOf(world)]).toEqual([asked.to, []]);
      else checkOnce(world, wanted, asked.kind);
    },
  );

  test('whose leader sleeps for ten minutes with the reply on its way, then goes on, is done once', async () => {
    const world = await stage(wanted);
    const node = world.mustLead();
    const asked = wanted.asked(world);
    const pending = node.coordinator.controls.command({
      ...{ command: asked, reason: 'a test', idempotencyKey: 'k1' },
      caller: { identity: 'ann', from: '192.0.2.7', requestId: 'r' },
    });
    node.clock.pause();
    await world.clock.advance(60_000);
    const again = await askAgain(world, asked);
    expect(again).toMatchObject({ kind: 'done' });
    await world.clock.advance(600_000);
    node.clock.resume();
    await world.clock.runUntilSettled(pending);
    await world.clock.advance(10_000);
    checkOnce(world, wanted, asked.kind);
  });
});
