import { type SendNotice, UNDELIVERED_MAX } from '@understudy/coordinator/testing';
import { NoticeRecordSchema, parseRecord, UndeliveredRecordSchema } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import { auditOf, command } from './commanding.ts';
import { KEYS, ScenarioCluster } from './scenario-cluster.ts';

const DB1 = 'prod/db1';
const HOUR_MS = 3_600_000;

const BodySchema = z.object({ id: z.string(), type: z.string(), what: z.string(), why: z.string(), next: z.string() });
type Body = z.infer<typeof BodySchema>;

/** A receiver that keeps what it takes, and can be made to be down or unwilling. */
class Receiver {
  readonly taken: Body[] = [];
  /** What becomes of a delivery; `lost`: taken, and its answer never arrives. */
  answer: (body: Body) => 'taken' | 'down' | 'unwilling' | 'lost' = () => 'taken';
  tries = 0;

  readonly send: SendNotice = async (_webhook, message, signal) => {
    const body = BodySchema.parse(JSON.parse(message.body));
    this.tries += 1;
    const answer = this.answer(body);
    if (answer === 'down') return { kind: 'refused', text: 'HTTP 503', isOfNotice: false };
    if (answer === 'unwilling') return { kind: 'refused', text: 'HTTP 400', isOfNotice: true };
    this.taken.push(body);
    if (answer === 'taken') return { kind: 'taken' };
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    return { kind: 'refused', text: 'aborted', isOfNotice: false };
  };

  /** Each notice once, in the order of their ids. */
  get distinct(): readonly Body[] {
    const byId = new Map(this.taken.map((one) => [one.id, one]));
    return [...byId.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  about(type: string): readonly Body[] {
    return this.distinct.filter((one) => one.type === type);
  }
}

async function started(webhook: { readonly giveUpAfterMs?: number } = {}) {
  const receiver = new Receiver();
  const hook = { name: 'pager', url: 'http://pager', secretFile: 'unused' };
  const cluster = new ScenarioCluster({ notify: { webhooks: [hook], ...webhook }, sendNotice: receiver.send });
  const old = cluster.seed(DB1);
  cluster.seed('prod/db2', { az: 'us-east-1b' });
  await cluster.up();
  await cluster.clock.advance(5_000);
  return { cluster, receiver, old };
}

const outboxOf = (cluster: ScenarioCluster) =>
  cluster.kv.entries(KEYS.outbox).map(({ key, value }) => parseRecord(NoticeRecordSchema, key, value));
const undeliveredOf = (cluster: ScenarioCluster) =>
  cluster.kv.entries(KEYS.undelivered).map(({ key, value }) => parseRecord(UndeliveredRecordSchema, key, value));

/** What a recovery tells, in this order. */
const STORY = ['member.dead', 'recovery.begun', 'recovery.activated', 'recovery.ended'];
const storyOf = (receiver: Receiver) => receiver.distinct.map((one) => one.type).filter((type) => STORY.includes(type));

async function recovered(cluster: ScenarioCluster): Promise<void> {
  await cluster.until('replaced', () => cluster.history(DB1).length > 0, HOUR_MS);
  await cluster.clock.advance(60_000);
}

describe('a webhook', () => {
  test('is told of each change once, in order, with why and what next; nothing stays behind', async () => {
    const { cluster, receiver, old } = await started();
    expect(receiver.about('member.enrolled')).toHaveLength(2);
    expect(receiver.about('leader.changed')).toMatchObject([{ what: `${cluster.mustLead().id} leads` }]);
    cluster.crash(old.instanceId);
    await recovered(cluster);
    expect(storyOf(receiver)).toEqual(STORY);
    expect(receiver.taken).toHaveLength(receiver.distinct.length);
    const [begun] = receiver.about('recovery.begun');
    expect(begun?.why).toMatch(/is silent for/);
    expect(receiver.about('recovery.ended')[0]?.what).toMatch(/^prod\/db1 is recovered after .*: i-\w+ → i-\w+$/);
    expect(outboxOf(cluster)).toEqual([]);
    cluster.expectHealthy();
  });

  test('is told of a hold with its way out, of the pause behind it, and of the end of both', async () => {
    const { cluster, receiver, old } = await started();
    cluster.pause('group/prod');
    cluster.crash(old.instanceId);
    await cluster.until('held', () => cluster.hold(DB1)?.reason === 'Paused', 60_000);
    await cluster.clock.advance(5_000);
    expect(receiver.about('hold.begun')).toMatchObject([{ what: 'prod/db1 is held: Paused' }]);
    expect(storyOf(receiver)).toEqual(['member.dead']);
    cluster.kv.apply({ compare: [], writes: [{ kind: 'delete', key: KEYS.pause('group/prod') }] });
    await recovered(cluster);
    expect(storyOf(receiver)).toEqual(STORY);
  });

  test('nobody is configured: nothing is written for anybody', async () => {
    const cluster = new ScenarioCluster();
    const old = cluster.seed(DB1);
    await cluster.up();
    cluster.crash(old.instanceId);
    await recovered(cluster);
    expect(cluster.kv.entries(KEYS.outbox)).toEqual([]);
  });
});

describe('a receiver that is down', () => {
  test('gets everything in order when it is back, and is a problem meanwhile', async () => {
    const { cluster, receiver, old } = await started();
    receiver.answer = () => 'down';
    cluster.crash(old.instanceId);
    await recovered(cluster);
    await cluster.clock.advance(90_000);
    expect([storyOf(receiver), outboxOf(cluster).length >= STORY.length]).toEqual([[], true]);
    const problems = () =>
      cluster
        .mustLead()
        .coordinator.api.status()
        .problems.map((one) => one.code);
    expect(problems()).toContain('WEBHOOK_FAILING');
    // News that nobody takes keeps no leader from its work, and so from being ready.
    for (const { coordinator } of cluster.nodes) expect(coordinator.api.notReady()).toEqual([]);
    const { problems: followers } = cluster.nodes.find((one) => !one.leads)?.coordinator.api.status() ?? {};
    expect(followers?.map((one) => one.code)).toContain('WEBHOOK_FAILING');
    receiver.answer = () => 'taken';
    await cluster.clock.advance(300_000);
    expect(storyOf(receiver)).toEqual(STORY);
    expect([outboxOf(cluster), problems().includes('WEBHOOK_FAILING')]).toEqual([[], false]);
  });

  test('for longer than it is waited for: what it missed is kept, up to a bound, and shown as a problem', async () => {
    const { cluster, receiver, old } = await started({ giveUpAfterMs: 600_000 });
    receiver.answer = () => 'down';
    cluster.crash(old.instanceId);
    await recovered(cluster);
    await cluster.clock.advance(900_000);
    const kept = undeliveredOf(cluster);
    expect(kept.map((one) => one.kind)).toEqual(expect.arrayContaining(STORY));
    expect(kept[0]).toMatchObject({ webhook: 'pager', error: 'HTTP 503' });
    expect(outboxOf(cluster).filter((one) => STORY.includes(one.kind))).toEqual([]);
    const { problems } = cluster.mustLead().coordinator.api.status();
    expect(problems.map((one) => one.code)).toContain('NOTICES_UNDELIVERED');
    for (let number = 0; number < UNDELIVERED_MAX + 5; number += 1) {
      const id = `${String(number).padStart(13, '0')}-0123456789abcdef`;
      const { schemaVersion: _, writeId: _1, writtenBy: _2, writtenAtWallMs: _3, ...content } = kept[0] ?? {};
      cluster.put(KEYS.undeliveredNotice('pager', id), { ...content, id, givenUpAtWallMs: number });
    }
    await cluster.clock.advance(30_000);
    expect(undeliveredOf(cluster).length).toBeLessThanOrEqual(UNDELIVERED_MAX);
    expect(undeliveredOf(cluster).map((one) => one.kind)).toEqual(expect.arrayContaining(STORY));
  });

  test('for longer than it is waited for: an operator sends one again, once, and drops another', async () => {
    const { cluster, receiver, old } = await started({ giveUpAfterMs: 600_000 });
    receiver.answer = () => 'down';
    cluster.crash(old.instanceId);
    await recovered(cluster);
    await cluster.clock.advance(900_000);
    const ofKind = (kind: string) => undeliveredOf(cluster).find((one) => one.kind === kind)?.id ?? '';
    const [begun, dead] = [ofKind('recovery.begun'), ofKind('member.dead')];
    receiver.answer = () => 'taken';
    await cluster.clock.advance(600_000);
    const again = { kind: 'resend-notice', webhook: 'pager', noticeId: begun } as const;
    expect(await command(cluster, again)).toMatchObject({ kind: 'done' });
    await cluster.clock.advance(5_000);
    expect(receiver.about('recovery.begun').map((one) => one.id)).toEqual([begun]);
    expect(await command(cluster, again)).toMatchObject({ kind: 'refused', code: 'NOTHING_THERE' });
    const drop = { kind: 'drop-notice', webhook: 'pager', noticeId: dead } as const;
    expect(await command(cluster, drop)).toMatchObject({ kind: 'done' });
    await cluster.clock.advance(60_000);
    expect(receiver.about('member.dead')).toEqual([]);
    const left = undeliveredOf(cluster).map((one) => one.id);
    expect([left.includes(begun), left.includes(dead)]).toEqual([false, false]);
    expect(auditOf(cluster).map((one) => one.kind)).toEqual(['resend-notice', 'drop-notice']);
  });

  test('for one notice only: the others go on', async () => {
    const { cluster, receiver, old } = await started();
    receiver.answer = ({ type }) => (type === 'recovery.begun' ? 'unwilling' : 'taken');
    cluster.crash(old.instanceId);
    await recovered(cluster);
    expect(storyOf(receiver)).toEqual(STORY.filter((type) => type !== 'recovery.begun'));
    expect(outboxOf(cluster).map((one) => one.kind)).toEqual(['recovery.begun']);
  });
});

describe('another leader', () => {
  test.each(STORY)(
    'the leader dies with %s on its way, which was taken: it comes again under the same id',
    async (type) => {
      const { cluster, receiver, old } = await started();
      const died: string[] = [];
      receiver.answer = (body) => {
        if (body.type !== type || died.length > 0) return 'taken';
        died.push(cluster.mustLead().id);
        cluster.clock.setTimer(1, () => cluster.kill(cluster.mustLead()));
        return 'lost';
      };
      cluster.crash(old.instanceId);
      await recovered(cluster);
      await cluster.clock.advance(120_000);
      expect(died).toHaveLength(1);
      expect(storyOf(receiver)).toEqual(STORY);
      const copies = receiver.taken.filter((one) => one.type === type);
      expect([copies.length, new Set(copies.map((one) => one.id)).size]).toEqual([2, 1]);
      expect(receiver.about('leader.changed')).toHaveLength(2);
      expect(outboxOf(cluster)).toEqual([]);
      cluster.expectReplaced(DB1, old.instanceId);
    },
  );

  test('a leader that is paused for ten minutes with a notice on its way writes nothing afterwards', async () => {
    const { cluster, receiver, old } = await started();
    const leader = cluster.mustLead();
    const host = cluster.hosts.find(({ id }) => id === leader.id);
    let isPaused = false;
    receiver.answer = ({ type }) => {
      if (type !== 'recovery.begun' || isPaused) return 'taken';
      isPaused = true;
      host?.pauseFor(600_000);
      return 'taken';
    };
    cluster.crash(old.instanceId);
    await recovered(cluster);
    await cluster.clock.advance(900_000);
    expect(isPaused).toBe(true);
    expect(storyOf(receiver)).toEqual(STORY);
    expect(outboxOf(cluster)).toEqual([]);
    cluster.expectHealthy();
  });
});
