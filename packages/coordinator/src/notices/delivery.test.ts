import { keyspace, type MonotonicMs, type NoticeRecord, type WallMs } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { SinkState } from './delivery.ts';
import { settle } from './settle.ts';
import type { ConfiguredSink, Delivery } from './sink.ts';

const KEYS = keyspace();
const DAY_MS = 86_400_000;
const at = (ms: number) => ms as MonotonicMs;
const webhook = (name: string, over: Partial<ConfiguredSink> = {}): ConfiguredSink => ({
  ...{ name, failing: 'WEBHOOK_FAILING', kinds: ['member.dead', 'leader.changed'], groups: [], timeoutMs: 1_000 },
  ...over,
});
const notice = (number: number, over: Partial<NoticeRecord> = {}) => {
  const id = `000000000000${number}-0123456789abcdef`;
  const record = {
    ...{ id, kind: 'member.dead', severity: 'critical', group: 'prod', members: [], memberCount: 0, opId: null },
    ...{
      atWallMs: number,
      what: '',
      why: '',
      next: '',
      deliveredTo: [],
      onlyTo: null,
      waitsSinceWallMs: number,
      ...over,
    },
    ...{ schemaVersion: 1, writeId: 'w', writtenBy: 'c1', writtenAtWallMs: 0 },
  } as NoticeRecord;
  return { record, modRevision: 5 };
};
const outboxOf = (...all: ReturnType<typeof notice>[]) => new Map(all.map((one) => [one.record.id, one]));
const TAKEN: Delivery = { kind: 'taken' };
const DOWN: Delivery = { kind: 'refused', text: 'HTTP 503', isOfNotice: false };
const UNWANTED: Delivery = { kind: 'refused', text: 'HTTP 400', isOfNotice: true };
const [ONE, TWO] = [notice(1), notice(2)];

describe('a webhook gets', () => {
  test('the oldest notice it wants first, and none twice', () => {
    const state = new SinkState(webhook('a'));
    const outbox = outboxOf(TWO, ONE, notice(3, { kind: 'pause.begun' }));
    expect(state.next(outbox, at(0))?.id).toBe(ONE.record.id);
    state.note(ONE.record.id, TAKEN, at(0), 0);
    expect(state.next(outbox, at(0))?.id).toBe(TWO.record.id);
    state.note(TWO.record.id, TAKEN, at(0), 0);
    expect(state.next(outbox, at(DAY_MS))).toBeNull();
  });

  test('of its groups only, where it names some; then nothing that is about no group', () => {
    const state = new SinkState(webhook('a', { groups: ['mq'] }));
    expect(state.next(outboxOf(ONE, notice(2, { kind: 'leader.changed', group: null })), at(0))).toBeNull();
    expect(state.next(outboxOf(notice(3, { group: 'mq' })), at(0))).not.toBeNull();
  });

  test('what an operator sends again to it, whatever it wants otherwise; and no other webhook does', () => {
    const again = outboxOf(notice(1, { kind: 'pause.begun', onlyTo: 'a' }));
    expect(new SinkState(webhook('a')).next(again, at(0))).not.toBeNull();
    expect(new SinkState(webhook('b')).next(again, at(0))).toBeNull();
  });

  test('nothing it was given by an earlier leader', () => {
    const state = new SinkState(webhook('a'));
    expect(state.next(outboxOf(notice(1, { deliveredTo: ['a'] })), at(0))).toBeNull();
    expect(state.next(outboxOf(notice(1, { deliveredTo: ['b'] })), at(0))).not.toBeNull();
  });

  test('nothing while it is down, then the same again: after a second, and later each time, up to ten minutes', () => {
    const state = new SinkState(webhook('a'));
    const outbox = outboxOf(ONE, TWO);
    let nowMs = 0;
    const waits = Array.from({ length: 14 }, () => {
      expect(state.next(outbox, at(nowMs))?.id).toBe(ONE.record.id);
      state.note(ONE.record.id, DOWN, at(nowMs), 0.999);
      const before = nowMs;
      while (state.next(outbox, at(nowMs)) === null) nowMs += 250;
      return nowMs - before;
    });
    expect(waits.slice(0, 4)).toEqual([1_000, 2_000, 4_000, 8_000]);
    expect(waits.at(-1)).toBeGreaterThan(599_000);
    expect(waits.at(-1)).toBeLessThanOrEqual(600_000);
    expect(state.failing).toMatchObject({ sinceMs: 0, error: 'HTTP 503' });
    state.note(ONE.record.id, TAKEN, at(nowMs), 0);
    expect(state.failing).toBeNull();
  });

  test('the next one when it is up and does not take this one, which waits by itself', () => {
    const state = new SinkState(webhook('a'));
    const outbox = outboxOf(ONE, TWO);
    state.note(ONE.record.id, UNWANTED, at(0), 0);
    expect([state.failing, state.next(outbox, at(0))?.id]).toEqual([null, TWO.record.id]);
    state.note(TWO.record.id, TAKEN, at(0), 0);
    expect(state.next(outbox, at(100))).toBeNull();
    expect(state.next(outbox, at(1_000))?.id).toBe(ONE.record.id);
  });
});

describe('a notice', () => {
  const settled = (stored: ReturnType<typeof notice>, states: readonly SinkState[], nowWallMs = 10) =>
    settle(stored, { states, keys: KEYS, nowWallMs: nowWallMs as WallMs, giveUpAfterMs: DAY_MS });
  const both = () => [new SinkState(webhook('a')), new SinkState(webhook('b'))] as const;
  const key = KEYS.notice(ONE.record.id);

  test('stays as it is while nobody has had it', () => {
    expect(settled(ONE, both())).toBeNull();
  });

  test('names who has had it while others have not, and is removed with the last', () => {
    const [a, b] = both();
    a.note(ONE.record.id, TAKEN, at(0), 0);
    expect(settled(ONE, [a, b])).toMatchObject({ puts: [{ key, record: { deliveredTo: ['a'] }, expect: 5 }] });
    const half = notice(1, { deliveredTo: ['a'] });
    expect(settled(half, [a, b])).toBeNull();
    b.note(ONE.record.id, TAKEN, at(0), 0);
    expect(settled(half, [a, b])).toMatchObject({ puts: [], deletes: [{ key, expect: 5 }] });
  });

  test('that nobody wants any more is removed', () => {
    expect(settled(notice(1, { kind: 'pause.ended' }), both())).toMatchObject({ puts: [], deletes: [{ key }] });
  });

  test('sent again to a webhook that is gone is put aside again, and not taken for delivered', () => {
    expect(settled(notice(1, { onlyTo: 'gone' }), both())).toMatchObject({
      puts: [{ key: KEYS.undeliveredNotice('gone', ONE.record.id), record: { error: 'no sink gone is configured' } }],
      deletes: [{ key, expect: 5 }],
    });
  });

  test('is put aside for who did not take it for a day, and only if it was tried', () => {
    const [a, b] = both();
    a.note(ONE.record.id, TAKEN, at(0), 0);
    expect(settled(ONE, [a, b], DAY_MS + 1)).toMatchObject({ deletes: [], givenUp: [] });
    b.note(ONE.record.id, DOWN, at(0), 0);
    expect(settled(ONE, [a, b], DAY_MS)).toMatchObject({ givenUp: [] });
    expect(settled(ONE, [a, b], DAY_MS + 1)).toMatchObject({
      puts: [
        {
          key: KEYS.undeliveredNotice('b', ONE.record.id),
          record: { webhook: 'b', error: 'HTTP 503', givenUpAtWallMs: DAY_MS + 1 },
          expect: 0,
        },
      ],
      deletes: [{ key, expect: 5 }],
    });
  });

  test('that one has given up and another still waits for is removed for neither', () => {
    const [a, b] = both();
    b.note(ONE.record.id, DOWN, at(0), 0);
    const now = settled(ONE, [a, b], DAY_MS + 1);
    expect(now?.deletes).toEqual([]);
    expect(now?.puts.map((put) => put.key)).toEqual([key, KEYS.undeliveredNotice('b', ONE.record.id)]);
    expect(now?.puts[0]?.record).toMatchObject({ deliveredTo: ['b'] });
  });
});
