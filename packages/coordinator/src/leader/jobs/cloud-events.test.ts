import type { MemberId, MessageQueue, QueueMessage, Term } from '@understudy/shared';
import { RecordingLog, SimClock } from '@understudy/shared/testing';
import { expect, test } from 'vitest';
import { EventHearing } from '../event-hearing.ts';
import { CloudEventsJob, type CloudEventsJobOptions } from './cloud-events.ts';

const MEMBERS = 10_000;
const HISTORY = 20;
const idOf = (nth: number): string => `i-${String(nth).padStart(17, '0')}`;
const memberOf = (nth: number): MemberId => `db/m${nth}`;

/** A table that counts how often somebody walks over all of it. */
class Counted<K, V> extends Map<K, V> {
  walks = 0;
  override values(): MapIterator<V> {
    this.walks += 1;
    return super.values();
  }
}

const call = (nth: number): QueueMessage => ({
  ...{ messageId: `m${nth}`, receiptHandle: `h${nth}`, receiveCount: 1, sentAtWallMs: null },
  body: JSON.stringify({
    ...{ id: `e${nth}`, 'detail-type': 'AWS API Call via CloudTrail', source: 'aws.ec2' },
    detail: {
      ...{ eventID: `ct-${nth}`, eventTime: '2026-01-01T00:00:00Z', eventName: 'StopInstances' },
      requestParameters: { instancesSet: { items: [{ instanceId: idOf(MEMBERS + 100 + nth) }] } },
    },
  }),
});

test('with ten thousand members and their histories, ten messages walk over each table once', async () => {
  const clock = new SimClock();
  const activations = new Counted<MemberId, { record: { member: MemberId; instanceId: string } }>();
  const history = new Counted<MemberId, Map<string, { record: { oldInstanceId: string } }>>();
  for (let nth = 0; nth < MEMBERS; nth += 1) {
    activations.set(memberOf(nth), { record: { member: memberOf(nth), instanceId: idOf(nth) } });
    const ended = Array.from(
      { length: HISTORY },
      (_, at) => [`op-${at}`, { record: { oldInstanceId: `i-old${nth}-${at}` } }] as const,
    );
    history.set(memberOf(nth), new Map(ended));
  }
  const deleted: string[] = [];
  const queue = {
    receive: async () => Array.from({ length: 10 }, (_, nth) => call(nth)),
    delete: async (handle: string) => void deleted.push(handle),
  } as unknown as MessageQueue;
  const job = new CloudEventsJob({
    ...{ queue, clock, log: new RecordingLog(), events: new EventHearing({ queue, clock, pollStatesEveryMs: 30_000 }) },
    view: { records: { activations, history, members: new Map(), intents: new Map() } },
  } as unknown as CloudEventsJobOptions);
  job.beginTerm();
  for (let passes = 0; passes < 5; passes += 1) await job.run({ signal: new AbortController().signal } as Term);
  expect(deleted).toHaveLength(50);
  expect(activations.walks).toBe(5);
  expect(history.walks).toBe(1);
});
