import { type Kms, type KmsKey, OperationError } from '@understudy/shared';
import { RecordingLog, SimClock } from '@understudy/shared/testing';
import { beforeEach, expect, test } from 'vitest';
import { KeyLooks } from './key-looks.ts';

const KEY: KmsKey = { keyId: '1', arn: 'a', state: 'Enabled', manager: 'CUSTOMER', deletionAtWallMs: null };
const MINUTE_MS = 60_000;

let clock: SimClock;
let log: RecordingLog;
let asked: string[];
let answer: () => KmsKey | null;

beforeEach(() => {
  clock = new SimClock();
  log = new RecordingLog();
  asked = [];
  answer = () => KEY;
});

const kms: Kms = {
  describeKey: async (name) => {
    asked.push(name);
    return answer();
  },
};
const looks = () => new KeyLooks({ kms, clock, log });
const failing = (code: 'CLOUD_UNAVAILABLE' | 'CLOUD_DENIED' | 'CLOUD_REJECTED') => () => {
  throw new OperationError(code, 'no');
};

test('each key is asked about once, and its standing told by its name', async () => {
  answer = () => (asked.at(-1) === 'gone' ? null : KEY);
  const facts = await looks().look(['a', 'gone']);
  expect(asked).toEqual(['a', 'gone']);
  expect([...facts].map(([name, { kind }]) => [name, kind])).toEqual([
    ['a', 'usable'],
    ['gone', 'unusable'],
  ]);
});

test('nobody to ask: nothing is known, which is not the same as asked in vain', async () => {
  expect((await new KeyLooks({ kms: null, clock, log }).look(['a'])).size).toBe(0);
});

test('KMS that does not answer is asked again after a minute, and not before', async () => {
  const own = looks();
  answer = failing('CLOUD_UNAVAILABLE');
  expect((await own.look(['a'])).get('a')).toMatchObject({ kind: 'unknown', why: expect.stringContaining('no') });
  answer = () => KEY;
  await clock.advance(MINUTE_MS - 1);
  expect((await own.look(['a'])).get('a')?.kind).toBe('unknown');
  expect(asked).toHaveLength(1);
  await clock.advance(1);
  expect((await own.look(['a'])).get('a')?.kind).toBe('usable');
  expect(log.lines.map((line) => line.event)).toEqual(['kms.unanswered', 'kms.answers_again']);
});

test('KMS that answers is asked each time, and nothing is said of it', async () => {
  const own = looks();
  await own.look(['a']);
  await own.look(['a']);
  expect([asked.length, log.lines]).toEqual([2, []]);
});

test('the minute counts from the silence, however long the process has run', async () => {
  await clock.advance(10 * MINUTE_MS);
  const own = looks();
  answer = failing('CLOUD_UNAVAILABLE');
  await own.look(['a']);
  await clock.advance(MINUTE_MS - 1);
  await own.look(['a']);
  expect(asked).toHaveLength(1);
});

test('a silence that goes on is told once', async () => {
  const own = looks();
  answer = failing('CLOUD_UNAVAILABLE');
  for (let minute = 0; minute < 5; minute += 1) {
    await own.look(['a']);
    await clock.advance(MINUTE_MS);
  }
  expect(asked).toHaveLength(5);
  expect(log.lines.filter((line) => line.event === 'kms.unanswered')).toHaveLength(1);
});

test.each(['CLOUD_DENIED', 'CLOUD_REJECTED'] as const)(
  '%s is KMS’s own word: the next key is asked about',
  async (code) => {
    const own = looks();
    answer = failing(code);
    expect((await own.look(['a'])).get('a')?.kind).toBe('unknown');
    answer = () => KEY;
    expect((await own.look(['b'])).get('b')?.kind).toBe('usable');
  },
);

test('a denial says which permission is wanting', async () => {
  answer = failing('CLOUD_DENIED');
  const standing = (await looks().look(['a'])).get('a');
  expect(standing).toMatchObject({ why: expect.stringMatching(/kms:DescribeKey; understudy iam-policy/) });
});

test('whoever gives up waiting says nothing about KMS', async () => {
  const own = looks();
  const abort = new AbortController();
  abort.abort();
  answer = failing('CLOUD_UNAVAILABLE');
  expect((await own.look(['a'], abort.signal)).get('a')?.kind).toBe('unknown');
  answer = () => KEY;
  expect((await own.look(['a'])).get('a')?.kind).toBe('usable');
});

test('a mistake of ours is no answer of KMS', async () => {
  answer = () => {
    throw new TypeError('ours');
  };
  await expect(looks().look(['a'])).rejects.toThrow('ours');
});
