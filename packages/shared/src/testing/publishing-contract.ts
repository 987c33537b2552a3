import { strict as assert } from 'node:assert';
import { type ErrorCode, isOperationError } from '../errors.ts';
import { rawOf } from '../raw-value.ts';
import type { BusEntry, EventBus, Topic, TopicMessage } from '../ports/publishing.ts';

export type PublishingFault = 'throttle' | 'internal-error' | 'foreign-answer' | 'lost-reply' | 'entry-throttled';

/** What the suite needs of an environment that has topics and buses. */
export interface PublishingFixture {
  /** With one queue subscribed. */
  readonly topic: Topic;
  readonly fifo: Topic;
  readonly nowhere: Topic;
  /** A topic that the caller may not publish to. */
  readonly forbidden: Topic;
  /** With one rule for the source `understudy`, whose target is a queue. */
  readonly bus: EventBus;
  readonly noBus: EventBus;
  readonly forbiddenBus: EventBus;
  /** What came to each queue, as JSON; it waits until so many are there, or nothing more comes. */
  arrived(queue: 'topic' | 'fifo' | 'bus', count: number): Promise<readonly Readonly<Record<string, unknown>>[]>;
  /** The next call of this action fails like this. */
  fault(action: string, kind: PublishingFault): Promise<{ firedCount(): Promise<number> }>;
  /** Waits for so much of the service's time. */
  sleep(durationMs: number): Promise<void>;
}

export interface PublishingCase {
  readonly name: string;
  run(fixture: PublishingFixture): Promise<void>;
}

async function refused(work: Promise<unknown>, code: ErrorCode): Promise<void> {
  try {
    await work;
  } catch (error) {
    assert.ok(isOperationError(error), `want an OperationError, got ${String(error)}`);
    assert.equal(error.code, code, error.message);
    return;
  }
  assert.fail(`want ${code}, but it succeeded`);
}

const ID = '1767225600000-0123456789abcdef';
const message = (over: Partial<TopicMessage> = {}): TopicMessage => ({
  ...{ id: ID, body: '{"what":"größer"}', subject: '[info] db1: i-0aa → i-0bb\n', orderedBy: 'prod/db1' },
  attributes: { type: 'recovery.ended', severity: 'info' },
  ...over,
});
const entry = (over: Partial<BusEntry> = {}): BusEntry => ({
  ...{ source: 'understudy', detailType: 'recovery.ended', detail: JSON.stringify({ id: ID }) },
  ...{ atWallMs: Date.UTC(2026, 0, 1), ...over },
});

const TOPICS: readonly PublishingCase[] = [
  {
    name: 'a message comes as it was published, with its id, and a subject that mail can carry',
    async run(f) {
      assert.match(await f.topic.publish(message()), /\w/);
      const [first, ...others] = await f.arrived('topic', 1);
      assert.equal(others.length, 0);
      assert.equal(first?.['Message'], message().body);
      assert.equal(first?.['Subject'], '[info] db1: i-0aa -> i-0bb');
      const { id, type } = rawOf(first?.['MessageAttributes']);
      assert.deepEqual([rawOf(id).Value, rawOf(type).Value], [ID, 'recovery.ended']);
    },
  },
  {
    name: 'a subject of any length and any letters is taken',
    async run(f) {
      await f.topic.publish(message({ subject: `${'ä\u0000\n→'.repeat(200)}x` }));
      assert.equal((await f.arrived('topic', 1)).length, 1);
    },
  },
  {
    name: 'the same again: twice on a standard topic, under one id; once on a FIFO topic for five minutes',
    async run(f) {
      for (const topic of [f.topic, f.fifo]) for (let sent = 0; sent < 2; sent += 1) await topic.publish(message());
      assert.equal((await f.arrived('topic', 2)).length, 2);
      assert.equal((await f.arrived('fifo', 2)).length, 1);
      await f.sleep(310_000);
      await f.fifo.publish(message());
      assert.equal((await f.arrived('fifo', 2)).length, 2);
    },
  },
  {
    name: 'a message that is too long is refused, before it leaves',
    async run(f) {
      await refused(f.topic.publish(message({ body: 'ä'.repeat(131_072) })), 'CLOUD_REJECTED');
      assert.equal((await f.arrived('topic', 1)).length, 0);
    },
  },
  {
    name: 'a topic says what it is; one that does not exist, or is closed, says so to every question',
    async run(f) {
      assert.equal((await f.topic.facts()).isFifo, false);
      assert.equal((await f.fifo.facts()).isFifo, true);
      await refused(f.nowhere.facts(), 'CLOUD_NOT_FOUND');
      await refused(f.nowhere.publish(message()), 'CLOUD_NOT_FOUND');
      await refused(f.nowhere.tryPublish(), 'CLOUD_NOT_FOUND');
      await refused(f.forbidden.publish(message()), 'CLOUD_DENIED');
      await refused(f.forbidden.tryPublish(), 'CLOUD_DENIED');
    },
  },
  {
    name: 'a trial publishes nothing',
    async run(f) {
      await f.topic.tryPublish();
      await f.fifo.tryPublish();
      assert.deepEqual([await f.arrived('topic', 1), await f.arrived('fifo', 1)], [[], []]);
    },
  },
];

const BUSES: readonly PublishingCase[] = [
  {
    name: 'an event comes to the target of its rule, with source, type, time and detail',
    async run(f) {
      assert.match(await f.bus.put(entry()), /\w/);
      await f.bus.put(entry({ source: 'another' })).catch(() => undefined);
      const events = await f.arrived('bus', 2);
      assert.equal(events.length, 1);
      assert.deepEqual(
        [events[0]?.['source'], events[0]?.['detail-type'], events[0]?.['time'], events[0]?.['detail']],
        ['understudy', 'recovery.ended', '2026-01-01T00:00:00Z', { id: ID }],
      );
    },
  },
  {
    name: 'the same event again comes twice: the id in its detail is what tells',
    async run(f) {
      for (let sent = 0; sent < 2; sent += 1) await f.bus.put(entry());
      assert.equal((await f.arrived('bus', 2)).length, 2);
    },
  },
  {
    name: 'an event that is none, or too long, is refused by itself',
    async run(f) {
      await refused(f.bus.put(entry({ detail: '[1]' })), 'CLOUD_REJECTED');
      await refused(f.bus.put(entry({ detail: 'no JSON' })), 'CLOUD_REJECTED');
      await refused(f.bus.put(entry({ detail: JSON.stringify({ text: 'x'.repeat(262_144) }) })), 'CLOUD_REJECTED');
      assert.deepEqual(await f.arrived('bus', 1), []);
    },
  },
  {
    name: 'a bus that does not exist takes events and drops them; only a look tells. One that is closed says so',
    async run(f) {
      assert.match(await f.noBus.put(entry()), /\w/);
      assert.deepEqual(await f.arrived('bus', 1), []);
      await refused(f.noBus.mustExist(), 'CLOUD_NOT_FOUND');
      await f.bus.mustExist();
      await refused(f.forbiddenBus.put(entry()), 'CLOUD_DENIED');
      await refused(f.forbiddenBus.tryPut(), 'CLOUD_DENIED');
    },
  },
  {
    name: 'a trial puts nothing',
    async run(f) {
      await f.bus.tryPut();
      assert.deepEqual(await f.arrived('bus', 1), []);
    },
  },
  {
    name: 'an entry that fails in an answer of success is a failure, and not out',
    async run(f) {
      const fault = await f.fault('events:PutEntry', 'entry-throttled');
      await refused(f.bus.put(entry()), 'CLOUD_THROTTLED');
      assert.equal(await fault.firedCount(), 1);
      assert.deepEqual(await f.arrived('bus', 1), []);
    },
  },
];

const EXPECTED: readonly (readonly [PublishingFault, ErrorCode, number])[] = [
  ['throttle', 'CLOUD_THROTTLED', 0],
  ['internal-error', 'CLOUD_OUTCOME_UNKNOWN', 0],
  ['foreign-answer', 'CLOUD_OUTCOME_UNKNOWN', 1],
  ['lost-reply', 'CLOUD_OUTCOME_UNKNOWN', 1],
];

/** Sent once each: what is out after a failure is what the service had, and no more. */
const FAULTS: readonly PublishingCase[] = EXPECTED.flatMap(([kind, code, out]) => [
  {
    name: `SNS, ${kind}: ${code}; ${out} are out`,
    async run(f: PublishingFixture) {
      const fault = await f.fault('sns:Publish', kind);
      await refused(f.topic.publish(message()), code);
      assert.equal(await fault.firedCount(), 1);
      assert.equal((await f.arrived('topic', 1)).length, out);
    },
  },
  {
    name: `EventBridge, ${kind}: ${code}; ${out} are out`,
    async run(f: PublishingFixture) {
      const fault = await f.fault('events:PutEvents', kind);
      await refused(f.bus.put(entry()), code);
      assert.equal(await fault.firedCount(), 1);
      assert.equal((await f.arrived('bus', 1)).length, out);
    },
  },
]);

/** What {@link Topic} and {@link EventBus} do, whoever carries the calls. */
export const PUBLISHING_CONTRACT: readonly PublishingCase[] = [...TOPICS, ...BUSES, ...FAULTS];
