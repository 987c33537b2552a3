import { type AnswerRecord, keyspace, OperationError, type Term } from '@understudy/shared';
import { RecordingLog, SimClock } from '@understudy/shared/testing';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Asked, Command } from '../commands/command.ts';
import type { ClusterState } from '../store/cluster-state.ts';
import { CommandDesk } from './command-desk.ts';

type Write = Parameters<Term['commit']>[0];

let answers: Map<string, { record: AnswerRecord; modRevision: number }>;
let resigned: number;
let written: Write[];
let lost: boolean;
let desk: CommandDesk;

const term = (number: number) => {
  const commit = async (write: Write) => {
    written.push(write);
    const record = write.puts?.[1]?.record as AnswerRecord | undefined;
    if (record) answers.set(record.answerId, { record, modRevision: 1 });
    if (lost) throw new OperationError('STORE_OUTCOME_UNKNOWN', 'the reply was lost');
    return { kind: 'committed', revision: 7 };
  };
  return { number, coordinatorId: 'c1', commit } as unknown as Term;
};
const asked = (command: Command): Asked => ({
  ...{ command, reason: 'a test', idempotencyKey: 'k1' },
  caller: { identity: 'ann', from: '192.0.2.7', requestId: 'r' },
});
const TRANSFER = asked({ kind: 'transfer', to: 'c2' });

beforeEach(() => {
  [answers, resigned, written, lost] = [new Map(), 0, [], false];
  const coordinators = new Map(['c1', 'c2'].map((id) => [id, { record: { coordinatorId: id }, modRevision: 1 }]));
  const empty = {
    drains: new Map(),
    groups: new Map(),
    policies: new Map(),
    members: new Map(),
    unreadable: new Map(),
  };
  const view = {
    ...{ isFresh: () => true, revisionOf: () => 0, valueOf: () => null, faultsOf: () => [] },
    records: { ...empty, answers, coordinators },
  };
  desk = new CommandDesk({
    ...{ view: view as unknown as ClusterState, keys: keyspace(), clock: new SimClock(), log: new RecordingLog() },
    ...{ minimum: { minimumObservers: 1, minimumZones: 1 }, standingOf: () => null },
    handOver: () => {
      resigned += 1;
    },
  });
});

describe('a transfer whose reply was lost', () => {
  test('is carried out when it is asked again of the leader that wrote it', async () => {
    lost = true;
    expect(await desk.take(term(4), TRANSFER)).toMatchObject({ kind: 'refused', code: 'OUTCOME_UNKNOWN' });
    expect([written.length, resigned]).toEqual([1, 0]);
    expect(await desk.take(term(4), TRANSFER)).toMatchObject({ kind: 'done', repeated: true });
    expect([written.length, resigned]).toEqual([1, 1]);
  });

  test('is only answered by a leader of another term: that one was not to go', async () => {
    lost = true;
    await desk.take(term(4), TRANSFER);
    expect(await desk.take(term(5), TRANSFER)).toMatchObject({ kind: 'done', repeated: true });
    expect(resigned).toBe(0);
  });

  test('is not carried out for what is another request under the same key', async () => {
    lost = true;
    await desk.take(term(4), TRANSFER);
    const other = asked({ kind: 'transfer', to: null });
    expect(await desk.take(term(4), other)).toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED' });
    expect(resigned).toBe(0);
  });
});

test('an answer that is too large to keep says so, and is still an answer', async () => {
  const untilWallMs = null;
  const reason = 'x'.repeat(20_000);
  const pause = { ...asked({ kind: 'drain', coordinatorId: 'c2', untilWallMs, override: true }), reason };
  const first = await desk.take(term(4), pause);
  expect(first).toMatchObject({ kind: 'done', repeated: false });
  const again = await desk.take(term(4), pause);
  expect(again).toMatchObject({ kind: 'done', repeated: true, result: { leftOut: expect.stringContaining('bytes') } });
  expect(JSON.stringify([...answers.values()]).length).toBeLessThan(17_000);
});
