import type { HistoryRecord, Leftover, OwedChore } from '@understudy/shared';
import { expect, test } from 'vitest';
import { leftoversProblem, leftoversView } from './leftovers-view.ts';

const left = (kind: Leftover['kind'], id: string, afterWallMs: number | null, code?: string): Leftover => ({
  ...{ kind, id, afterWallMs },
  obstacle: code === undefined ? null : { code, text: 'it is running', sinceWallMs: 1 },
});
const owed: OwedChore = {
  chore: { kind: 'volume-tags', instanceId: 'i-new', deviceName: '/dev/sdf', tags: { team: 'data' } },
  obstacle: { code: 'UnauthorizedOperation', text: 'not allowed', sinceWallMs: 1 },
};
const history = (part: Partial<HistoryRecord>): HistoryRecord =>
  ({
    ...{ opId: 'op-1', member: 'db/one', oldInstanceId: 'i-old', endedAtWallMs: 5, leftovers: [], owed: [] },
    ...part,
  }) as unknown as HistoryRecord;

test('what is obstructed comes first, what is kept for ever last', () => {
  const leftovers = [
    left('volume', 'vol-1', null),
    left('snapshot', 'snap-1', 9),
    left('instance', 'i-old', 7, 'NotStopped'),
  ];
  const shown = leftoversView([history({ leftovers, owed: [owed] })]);
  expect(shown.map((one) => one.id)).toEqual(['tag-/dev/sdf', 'i-old', 'snap-1', 'vol-1']);
  expect(shown[0]).toMatchObject({ kind: 'chore', text: 'tags of the volume at /dev/sdf of i-new: team' });
  expect(shown[3]).toMatchObject({ kind: 'volume', text: 'data volume i-old leaves behind', afterWallMs: null });
});

test('the problem names the first and counts the others; nothing in the way is no problem', () => {
  expect(leftoversProblem(leftoversView([history({ leftovers: [left('instance', 'i-old', 7)] })]))).toBeNull();
  const two = leftoversView([history({ leftovers: [left('instance', 'i-old', 7, 'NotStopped')], owed: [owed] })]);
  expect(leftoversProblem(two)).toMatchObject({
    code: 'LEFTOVERS_OBSTRUCTED',
    text: 'db/one: tag-/dev/sdf, tags of the volume at /dev/sdf of i-new: team: UnauthorizedOperation: not allowed (and 1 more)',
  });
});
