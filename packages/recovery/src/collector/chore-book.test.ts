import type { Chore, Cloud, CloudCallOptions } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { choreKey } from '../core/chores.ts';
import { ChoreBook } from './chore-book.ts';
import { sendChore } from './chore-calls.ts';
import type { Attempt } from '../effect.ts';
import { cloudError, cloudInstance, NEW } from '../run.fixtures.ts';

const PROTECT: Chore = { kind: 'protect', instanceId: NEW, stop: true, termination: false };
const BIND: Chore = { kind: 'bind-interface', instanceId: NEW, networkInterfaceId: 'eni-1' };
const attachment = (over: object) =>
  cloudInstance(NEW, {
    networkInterfaces: [
      { networkInterfaceId: 'eni-1', attachmentId: 'at-1', deleteOnTermination: false, ...over },
    ] as never,
  });
const answered = (chore: Chore, error: Attempt['error']): Attempt => ({
  ...{ outcomes: [{ name: choreKey(chore), error }], name: choreKey(chore), error, unknownCount: 0 },
});
const names = (book: ChoreBook, seen = attachment({})) => book.calls(seen).map(({ name }) => name);

describe('a chore', () => {
  test('is called for until EC2 says that it is done', () => {
    const book = new ChoreBook([PROTECT, BIND]);
    book.note(null);
    expect([book.hasWork, names(book)]).toEqual([true, [choreKey(PROTECT), choreKey(BIND)]]);
    expect(book.calls(attachment({})).every(({ optional }) => optional === true)).toBe(true);
    book.note(answered(PROTECT, null));
    expect(names(book)).toEqual([choreKey(BIND)]);
    expect(book.owed(5).map((one) => one.chore)).toEqual([BIND]);
  });

  test('that is in place already is settled without a call', () => {
    const book = new ChoreBook([BIND]);
    expect(names(book, attachment({ deleteOnTermination: true }))).toEqual([]);
    expect([book.hasWork, book.owed(5)]).toEqual([false, []]);
  });

  test.each([
    ['CLOUD_THROTTLED', true],
    ['CLOUD_UNAVAILABLE', true],
    ['CLOUD_OUTCOME_UNKNOWN', true],
    ['CLOUD_NOT_FOUND', true],
    ['CLOUD_CONFLICT', true],
    ['LEASE_LOST', true],
    ['CLOUD_DENIED', false],
    ['CLOUD_REJECTED', false],
  ] as const)('answered with %s is tried again while the recovery is open: %s', (code, again) => {
    const book = new ChoreBook([PROTECT]);
    book.note(answered(PROTECT, cloudError(code)));
    expect([book.hasWork, names(book).length > 0]).toEqual([again, again]);
    expect(book.owed(5)).toMatchObject([{ obstacle: { code, sinceWallMs: 5 } }]);
  });

  test('that cannot be done now is owed with the reason; one that was never tried says so', () => {
    const book = new ChoreBook([PROTECT, BIND]);
    expect(book.owed(5).map((one) => one.obstacle.code)).toEqual(['NotDone', 'NotDone']);
    expect(book.calls(null)).toEqual([]);
    expect(book.hasWork).toBe(true);
    expect(book.owed(5)[1]?.obstacle).toEqual({ code: 'NotShown', text: `EC2 does not show ${NEW}`, sinceWallMs: 5 });
  });

  test('keeps EC2’s own code, and loses its trouble once it is done', () => {
    const book = new ChoreBook([PROTECT]);
    book.note(answered(PROTECT, cloudError('CLOUD_CONFLICT', 'IncorrectState')));
    expect(book.owed(5)[0]?.obstacle.code).toBe('IncorrectState');
    book.note(answered(PROTECT, null));
    expect(book.owed(5)).toEqual([]);
  });

  test('is not settled by the answer to another call of the step', () => {
    const book = new ChoreBook([PROTECT]);
    book.note({
      ...answered(PROTECT, null),
      outcomes: [
        { name: 'retire', error: null },
        { name: 'unprotect', error: cloudError('CLOUD_DENIED') },
      ],
    });
    expect([book.hasWork, book.owed(5).length]).toEqual([true, 1]);
  });
});

describe('the call of a chore', () => {
  const sent = async (call: Parameters<typeof sendChore>[1]) => {
    const calls: unknown[] = [];
    const record =
      (name: string) =>
      async (...args: unknown[]) =>
        void calls.push([name, ...args]);
    const cloud = new Proxy({} as Cloud, { get: (_, name) => record(String(name)) });
    const options: CloudCallOptions = {};
    await sendChore(cloud, call, options);
    return calls;
  };

  test('adds tags, binds an interface, or protects, and nothing else', async () => {
    expect(await sent({ kind: 'tag', resourceId: 'vol-1', tags: { a: 'b' } })).toEqual([
      ['createTags', ['vol-1'], { a: 'b' }, { urgency: 'chore' }],
    ]);
    expect(await sent({ kind: 'bind', networkInterfaceId: 'eni-1', attachmentId: 'at-1' })).toEqual([
      [
        'setNetworkInterfaceAttributes',
        'eni-1',
        { deleteOnTermination: { attachmentId: 'at-1', value: true } },
        { urgency: 'chore' },
      ],
    ]);
    expect(await sent({ kind: 'protect', instanceId: NEW, protection: { stop: true } })).toEqual([
      ['setProtection', NEW, { stop: true }, { urgency: 'chore' }],
    ]);
  });

  test('is the one the book names', async () => {
    const calls: unknown[] = [];
    const setProtection = async (...args: unknown[]) => void calls.push(args);
    const [call] = new ChoreBook([PROTECT]).calls(attachment({}));
    await call?.run({ setProtection } as unknown as Cloud, {}, 1);
    expect(calls).toEqual([[NEW, { stop: true }, { urgency: 'chore' }]]);
  });
});
