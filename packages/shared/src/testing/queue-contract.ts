import { strict as assert } from 'node:assert';
import { type ErrorCode, isOperationError } from '../errors.ts';
import type { MessageQueue, QueueMessage } from '../ports/message-queue.ts';

export type QueueContractFault = 'throttle' | 'internal-error' | 'foreign-answer' | 'lost-reply';

/** What the suite needs of an environment that has a queue. */
export interface QueueContractFixture {
  /** Empty. After three receives a message goes to the dead letters. */
  readonly queue: MessageQueue;
  /** A queue that does not exist. */
  readonly nowhere: MessageQueue;
  /** A queue that the caller may not read. */
  readonly forbidden: MessageQueue;
  readonly arn: string;
  send(body: string, delayMs?: number): Promise<void>;
  /** Spoils what comes over the wire. Null where there is none. */
  readonly spoil: ((on: boolean) => Promise<void>) | null;
  deadLetters(): Promise<readonly string[]>;
  /** So many of the deliveries leave their message to be received again at once. */
  unruly(share: { readonly redelivered?: number; readonly afterDelete?: number }): Promise<void>;
  /** The next call of this action fails like this. */
  fault(action: string, kind: QueueContractFault): Promise<{ firedCount(): Promise<number> }>;
  sleep(durationMs: number): Promise<void>;
}

export interface QueueContractCase {
  readonly name: string;
  run(fixture: QueueContractFixture): Promise<void>;
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

const HIDDEN_MS = 30_000;
const receive = (f: QueueContractFixture, waitMs = 0, hiddenForMs = HIDDEN_MS): Promise<readonly QueueMessage[]> =>
  f.queue.receive({ messagesMax: 10, waitMs, hiddenForMs });

/** Looks again until something is there: a short poll may miss what is in the queue. */
async function received(f: QueueContractFixture, hiddenForMs = HIDDEN_MS): Promise<QueueMessage> {
  for (let looks = 0; looks < 200; looks += 1) {
    const [first] = await receive(f, 1_000, hiddenForMs);
    if (first) return first;
  }
  assert.fail('no message came');
}

const DELIVERIES: readonly QueueContractCase[] = [
  {
    name: 'an empty queue answers with no message, at once or after the wait',
    async run(f) {
      assert.deepEqual(await receive(f), []);
      assert.deepEqual(await receive(f, 2_000), []);
    },
  },
  {
    name: 'what is sent comes as it was sent, with how often it came and since when it is there',
    async run(f) {
      const body = JSON.stringify({ text: 'größer\tals "4"\n', of: [1, 2] });
      await f.send(body);
      const message = await received(f);
      assert.equal(message.body, body);
      assert.equal(message.receiveCount, 1);
      assert.ok((message.sentAtWallMs ?? 0) > 1_000_000_000_000);
    },
  },
  {
    name: 'a long poll ends when a message can be received, also one that was delayed',
    async run(f) {
      const work = receive(f, 20_000);
      await f.send('late', 3_000);
      assert.deepEqual(
        (await work).map((one) => one.body),
        ['late'],
      );
    },
  },
  {
    name: 'what was received is hidden, comes again when its time is over, and counts',
    async run(f) {
      await f.send('one');
      const first = await received(f);
      assert.deepEqual(await receive(f), []);
      await f.sleep(HIDDEN_MS + 1_000);
      const second = await received(f);
      assert.equal(second.messageId, first.messageId);
      assert.equal(second.receiveCount, 2);
      assert.notEqual(second.receiptHandle, first.receiptHandle);
    },
  },
  {
    name: 'what is deleted does not come again, and deleting it again is no error',
    async run(f) {
      await f.send('one');
      const { receiptHandle } = await received(f, 5_000);
      await f.queue.delete(receiptHandle);
      await f.queue.delete(receiptHandle);
      await f.sleep(6_000);
      assert.deepEqual(await receive(f), []);
    },
  },
  {
    name: 'the handle of an earlier delivery deletes nothing, and says so to nobody',
    async run(f) {
      await f.send('one');
      const first = await received(f, 2_000);
      await f.sleep(3_000);
      await received(f, 2_000);
      await f.queue.delete(first.receiptHandle);
      await f.sleep(3_000);
      assert.equal((await received(f)).messageId, first.messageId);
    },
  },
  {
    name: 'what is given back comes at once, and what is hidden longer stays hidden',
    async run(f) {
      await f.send('one');
      const first = await received(f);
      await f.queue.hide(first.receiptHandle, 0);
      const second = await received(f, 2_000);
      await f.queue.hide(second.receiptHandle, 60_000);
      await f.sleep(10_000);
      assert.deepEqual(await receive(f), []);
    },
  },
  {
    name: 'what is not hidden any more, or would be for too long, is not hidden',
    async run(f) {
      await f.send('one');
      const first = await received(f, 1_000);
      await f.sleep(2_000);
      await refused(f.queue.hide(first.receiptHandle, 5_000), 'CLOUD_REJECTED');
      const second = await received(f);
      await refused(f.queue.hide(second.receiptHandle, 43_200_000), 'CLOUD_REJECTED');
    },
  },
  {
    name: 'one message may come twice inside its time, and after it was deleted',
    async run(f) {
      await f.unruly({ redelivered: 1 });
      await f.send('one');
      const first = await received(f);
      await f.unruly({ afterDelete: 1 });
      const again = await received(f, 1_000);
      assert.equal(again.messageId, first.messageId);
      await f.queue.delete(again.receiptHandle);
      await f.sleep(120_000);
      assert.equal((await received(f)).messageId, first.messageId);
    },
  },
  {
    name: 'what came too often and was not deleted goes to the dead letters',
    async run(f) {
      await f.send('poison');
      for (let times = 0; times < 3; times += 1) {
        await received(f, 1_000);
        await f.sleep(2_000);
      }
      assert.deepEqual(await receive(f), []);
      assert.deepEqual(await f.deadLetters(), ['poison']);
    },
  },
];

const FAULTS: readonly (readonly [QueueContractFault, ErrorCode, ErrorCode])[] = [
  ['throttle', 'CLOUD_THROTTLED', 'CLOUD_THROTTLED'],
  ['internal-error', 'CLOUD_UNAVAILABLE', 'CLOUD_OUTCOME_UNKNOWN'],
  ['foreign-answer', 'CLOUD_UNAVAILABLE', 'CLOUD_OUTCOME_UNKNOWN'],
  ['lost-reply', 'CLOUD_UNAVAILABLE', 'CLOUD_OUTCOME_UNKNOWN'],
];

const REFUSALS: readonly QueueContractCase[] = [
  {
    name: 'the queue tells its ARN, what waits in it, and where its dead letters go',
    async run(f) {
      await f.send('one');
      await f.send('two');
      const { messagesMax, waitMs } = { messagesMax: 1, waitMs: 1_000 };
      await f.queue.receive({ messagesMax, waitMs, hiddenForMs: HIDDEN_MS });
      const { arn, waiting, inFlight, deadLetter } = await f.queue.attributes();
      assert.deepEqual([arn, waiting, inFlight, deadLetter?.afterReceives], [f.arn, 1, 1, 3]);
    },
  },
  {
    name: 'a queue that is not there, or closed to us, is told as such',
    async run(f) {
      await refused(f.nowhere.receive({ messagesMax: 1, waitMs: 0, hiddenForMs: 1_000 }), 'CLOUD_NOT_FOUND');
      await refused(f.nowhere.attributes(), 'CLOUD_NOT_FOUND');
      await refused(f.forbidden.receive({ messagesMax: 1, waitMs: 0, hiddenForMs: 1_000 }), 'CLOUD_DENIED');
      await refused(f.forbidden.attributes(), 'CLOUD_DENIED');
    },
  },
  {
    name: 'what is no handle, and more than ten messages, are refused',
    async run(f) {
      await refused(f.queue.delete('nonsense'), 'CLOUD_REJECTED');
      await refused(f.queue.receive({ messagesMax: 11, waitMs: 0, hiddenForMs: 1_000 }), 'CLOUD_REJECTED');
      await refused(f.queue.receive({ messagesMax: 1, waitMs: 0, hiddenForMs: 43_201_000 }), 'CLOUD_REJECTED');
    },
  },
  {
    name: 'a message that is not what was sent has no body, and the one beside it has',
    async run(f) {
      if (f.spoil === null) return;
      await f.send('spoilt');
      await f.send('whole');
      await f.spoil(true);
      const seen: (string | null)[] = [];
      for (let looks = 0; seen.length < 2 && looks < 50; looks += 1)
        seen.push(...(await receive(f, 1_000)).map((one) => one.body));
      await f.spoil(false);
      assert.deepEqual(seen.map(String).sort(), ['null', 'whole']);
    },
  },
  ...FAULTS.flatMap(([kind, read, change]): QueueContractCase[] => [
    {
      name: `receive under ${kind}: ${read}, and the next one is answered`,
      async run(f) {
        const { firedCount } = await f.fault('ReceiveMessage', kind);
        await refused(receive(f), read);
        assert.equal(await firedCount(), 1);
        assert.deepEqual(await receive(f), []);
      },
    },
    {
      name: `delete under ${kind}: ${change}, and it can be repeated`,
      async run(f) {
        await f.send('one');
        const { receiptHandle } = await received(f, 10_000);
        const { firedCount } = await f.fault('DeleteMessage', kind);
        await refused(f.queue.delete(receiptHandle), change);
        assert.equal(await firedCount(), 1);
        await f.queue.delete(receiptHandle);
        await f.sleep(12_000);
        assert.deepEqual(await receive(f), []);
      },
    },
  ]),
  {
    name: 'a receive whose reply is lost hides what it delivered until its time is over',
    async run(f) {
      await f.send('one');
      await f.fault('ReceiveMessage', 'lost-reply');
      await refused(receive(f, 0, 60_000), 'CLOUD_UNAVAILABLE');
      assert.deepEqual(await receive(f), []);
      await f.sleep(61_000);
      assert.equal((await received(f)).receiveCount, 2);
    },
  },
];

/** Every implementation of {@link MessageQueue} passes these. */
export const QUEUE_CONTRACT: readonly QueueContractCase[] = [...DELIVERIES, ...REFUSALS];
