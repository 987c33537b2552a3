import { instanceHashOf, keyspace, type MemberId, monotonicMs } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import type { Unexpected } from '@understudy/observer';
import { activationRecord, entryOf, historyRecord, intentRecord, memberRecord } from '@understudy/shared/testing';
import { ClusterRecords } from '../store/cluster-records.ts';
import { unexpectedProblems, unexpectedTexts } from './unexpected-heartbeats.ts';

const keys = keyspace('/t/v1/');
const ONE: MemberId = 'db/one';

function sources(heard: (expected: readonly string[]) => readonly Unexpected[], members: readonly MemberId[] = [ONE]) {
  const records = new ClusterRecords(keys.root);
  for (const member of members) {
    const record = memberRecord(member, { instanceId: 'i-0a', privateIp: '10.0.0.5', otherAddresses: ['54.0.0.1'] });
    records.put(entryOf(keys.member(member), record, 1));
    records.put(entryOf(keys.activation(member), activationRecord(member, 'i-0a'), 2));
  }
  records.put(entryOf(keys.historyEntry(ONE, 'op-9'), historyRecord(ONE, 'i-09', { opId: 'op-9' }), 3));
  const observer = { unexpected: (_: MemberId, expected: readonly string[]) => heard(expected) };
  return { records, observer, nowMs: monotonicMs(0) };
}

const other = (instanceId: string, address = '10.0.0.9'): Unexpected => ({
  ...{ kind: 'other-instance', instanceHash: instanceHashOf(instanceId), activatedInstanceId: 'i-0a', address },
});

describe('in words', () => {
  test('an instance that is enrolled for somebody else, by its address', () => {
    const from = sources(() => [other('i-0b')]);
    const two = memberRecord('db/two', { instanceId: 'i-0b', privateIp: '10.0.0.9' });
    from.records.put(entryOf(keys.member('db/two'), two, 4));
    expect(unexpectedTexts(from, ONE)).toEqual([
      'heartbeats for db/one come from i-0b (10.0.0.9), which is not the activated i-0a',
    ]);
  });
  test('one that this member had before, wherever it speaks from', () =>
    expect(
      unexpectedTexts(
        sources(() => [other('i-09')]),
        ONE,
      )[0],
    ).toContain('come from i-09 (10.0.0.9)'));
  test('one nobody knows, by the hash in its heartbeats', () =>
    expect(
      unexpectedTexts(
        sources(() => [other('i-77')]),
        ONE,
      )[0],
    ).toContain(`an instance we do not know (10.0.0.9, id hash ${instanceHashOf('i-77')})`));
  test('another address, with those EC2 says it has', () => {
    const wrong: Unexpected = { kind: 'other-address', instanceId: 'i-0a', address: '10.0.0.9' };
    const told = unexpectedTexts(
      sources((expected) => (expected.includes('10.0.0.9') ? [] : [wrong])),
      ONE,
    );
    expect(told).toEqual(['heartbeats for db/one come from 10.0.0.9, and EC2 says that i-0a has 10.0.0.5, 54.0.0.1']);
  });
});

describe('what is expected or nobody can know', () => {
  test('no address of an instance that is not the enrolled one', () => {
    const from = sources((expected) => {
      expect(expected).toEqual([]);
      return [];
    });
    from.records.put(entryOf(keys.activation(ONE), activationRecord(ONE, 'i-0c'), 5));
    expect(unexpectedTexts(from, ONE)).toEqual([]);
    expect.assertions(2);
  });
  test('the replacement speaks beside the old instance while the recovery is open', () => {
    const from = sources(() => [other('i-0n')]);
    expect(unexpectedProblems(from)).toHaveLength(1);
    from.records.put(entryOf(keys.intent(ONE), intentRecord(ONE, 'i-0a'), 6));
    expect([unexpectedProblems(from), unexpectedTexts(from, ONE)]).toEqual([[], []]);
  });
});

describe('as problems', () => {
  const older = (proven: boolean): Unexpected => ({
    ...{ kind: 'older-epoch', instanceId: 'i-0a', epoch: 100n, newestEpoch: 200n, proven },
  });
  test('one of each code, however many members', () => {
    const members = Array.from({ length: 30 }, (_, index): MemberId => `db/m${index}`);
    const [elsewhere, back, ...others] = unexpectedProblems(sources(() => [other('i-0b'), older(true)], members));
    expect([elsewhere?.code, back?.code, others]).toEqual(['AGENT_ELSEWHERE', 'AGENT_EPOCH_WENT_BACK', []]);
    expect(elsewhere?.text).toContain('and 25 more');
    expect(back?.text).toContain('went back from 200 to 100');
  });
  test('an older epoch that nobody answers for is told, and is none: anybody can repeat recordings', () => {
    const from = sources(() => [older(false)]);
    expect(unexpectedProblems(from)).toEqual([]);
    expect(unexpectedTexts(from, ONE)[0]).toContain('answers no challenge');
  });
});
