import type { CloudInstance, HistoryRecord } from '@understudy/shared';
import { historyRecord } from '@understudy/shared/testing';
import { describe, expect, test } from 'vitest';
import { decideUndo, type UndoFacts } from './undo-decision.ts';

const MINUTE_MS = 60_000;
const ENDED = 1_000_000_000;
const ACTIVATED = ENDED - MINUTE_MS;

const step = (name: string, startedAtWallMs = ACTIVATED) => ({
  ...{ step: name, state: 'done' as const, startedAtWallMs, endedAtWallMs: startedAtWallMs },
});

const undone = (over: Partial<HistoryRecord> = {}): HistoryRecord => ({
  ...historyRecord('db/one', 'i-old'),
  ...{ opId: 'op-1', newInstanceId: 'i-new', endedAtWallMs: ENDED },
  steps: [step('activate'), step('address-eipalloc-1')],
  undo: { volumeIds: ['vol-1', 'vol-2'], movedVolumeIds: [] },
  leftovers: [
    { kind: 'instance', id: 'i-old', afterWallMs: ENDED + 1_440 * MINUTE_MS, obstacle: null },
    { kind: 'volume', id: 'vol-2', afterWallMs: null, obstacle: null },
    { kind: 'snapshot', id: 'snap-1', afterWallMs: ENDED, obstacle: null },
  ],
  ...over,
});

const instance = (over: Partial<CloudInstance> = {}): CloudInstance =>
  ({
    ...{ instanceId: 'i-old', state: 'stopped', az: 'az-a', instanceType: 't3.micro' },
    volumes: [{ volumeId: 'vol-1' }, { volumeId: 'vol-2' }],
    networkInterfaces: [{ networkInterfaceId: 'eni-1', subnetId: 'subnet-1', deviceIndex: 0, networkCardIndex: 0 }],
    ...over,
  }) as unknown as CloudInstance;

const facts = (over: Partial<UndoFacts> = {}): UndoFacts => ({
  activation: { instanceId: 'i-new', opId: 'op-1' },
  history: [undone()],
  retained: instance(),
  nowWallMs: ENDED + 20 * MINUTE_MS,
  acceptLossMs: 60 * MINUTE_MS,
  ...over,
});

const refusal = (over: Partial<UndoFacts>): string => {
  const verdict = decideUndo(facts(over));
  return verdict.kind === 'refused' ? verdict.problem.code : 'possible';
};
const notNoted: Partial<UndoFacts> = (() => {
  const { undo: _, ...one } = undone();
  return { history: [one] };
})();
const ofHistory = (over: Partial<HistoryRecord>): Partial<UndoFacts> => ({ history: [undone(over)] });

describe('the last recovery of a member can be put back', () => {
  test('while its instance is kept, with all its disks, at an accepted loss', () => {
    const verdict = decideUndo(facts());
    expect(verdict).toMatchObject({
      kind: 'possible',
      undo: {
        ...{ networkInterfaceId: 'eni-1', subnetId: 'subnet-1', servedSinceWallMs: ACTIVATED },
        untilWallMs: ENDED + 1_425 * MINUTE_MS,
        leftovers: [{ id: 'i-old' }, { id: 'vol-2' }],
      },
    });
  });
  test('for ever, where it is kept for ever', () => {
    const [first, ...more] = undone().leftovers;
    const leftovers = [{ kind: 'instance', id: 'i-old', obstacle: null, ...first, afterWallMs: null }, ...more];
    expect(decideUndo(facts(ofHistory({ leftovers })))).toMatchObject({
      kind: 'possible',
      undo: { untilWallMs: null },
    });
  });
  test('as an undo can', () => expect(refusal(ofHistory({ outcome: 'undone' }))).toBe('possible'));
});

describe('it is refused', () => {
  test.each([
    [
      'where no recovery put the instance in charge',
      { activation: { instanceId: 'i-new', opId: null } },
      'NothingToUndo',
    ],
    ['where that recovery is forgotten', { history: [] }, 'NothingToUndo'],
    ['where it kept its instance', ofHistory({ outcome: 'mended' }), 'NothingToUndo'],
    [
      'where a later one put another instance in charge',
      { activation: { instanceId: 'i-3', opId: 'op-1' } },
      'NothingToUndo',
    ],
    ['where nobody noted its disks', notNoted, 'NotNoted'],
    [
      'where a disk has moved to the successor',
      ofHistory({ undo: { volumeIds: ['vol-1', 'vol-2'], movedVolumeIds: ['vol-2'] } }),
      'DisksMoved',
    ],
    ['where the instance is collected', ofHistory({ leftovers: [] }), 'NotRetained'],
    ['where somebody has terminated it', { retained: instance({ state: 'terminated' }) }, 'NotRetained'],
    ['15 minutes before it is collected', { nowWallMs: ENDED + 1_425 * MINUTE_MS }, 'AboutToBeCollected'],
    ['while EC2 does not show it', { retained: null }, 'NotShown'],
    ['while it runs', { retained: instance({ state: 'running' }) }, 'NotStopped'],
    ['while a disk of it is off', { retained: instance({ volumes: [] }) }, 'DiskMissing'],
    ['where nothing is given up', { acceptLossMs: null }, 'LossNotAccepted'],
    ['where less is given up than was written', { acceptLossMs: 21 * MINUTE_MS - 1 }, 'LossNotAccepted'],
  ] as const)('%s', (_, over, code) => expect(refusal(over as Partial<UndoFacts>)).toBe(code));

  test.each(['secondary-10.0.0.9', 'record-r1', 'target-t1', 'interface-eni-2', 'prefix-p', 'ipv6-a'])(
    'for 15 minutes where a late call of %s could take it off again',
    (name) => {
      const history = [undone({ steps: [step('activate'), step(name)] })];
      expect(refusal({ history, nowWallMs: ENDED + 15 * MINUTE_MS - 1 })).toBe('LateCallsMayLand');
      expect(refusal({ history, nowWallMs: ENDED + 15 * MINUTE_MS })).toBe('possible');
    },
  );
  test('for 15 minutes where a Stop of it is open, and not for an Elastic IP, whose association has an id', () => {
    const soon = { nowWallMs: ENDED + MINUTE_MS };
    const undo = { volumeIds: [], movedVolumeIds: [], stopMayLand: true as const };
    expect(refusal({ history: [undone({ undo })], ...soon })).toBe('LateCallsMayLand');
    expect(refusal(soon)).toBe('possible');
  });
  test('for 15 minutes after an undo of it was called off, which has stopped it again', () => {
    const off = (outcome: 'mended' | 'not-mended' | 'abandoned') =>
      undone({
        ...{ opId: 'op-2', outcome, strategy: 'undo', oldInstanceId: 'i-new', newInstanceId: null },
        endedAtWallMs: ENDED + 30 * MINUTE_MS,
      });
    for (const outcome of ['mended', 'not-mended', 'abandoned'] as const) {
      const history = [undone(), off(outcome)];
      expect(refusal({ history, nowWallMs: ENDED + 31 * MINUTE_MS })).toBe('LateCallsMayLand');
      expect(refusal({ history, nowWallMs: ENDED + 45 * MINUTE_MS })).toBe('possible');
    }
  });
  test.each(['stop', 'start', 'reboot'] as const)(
    'for 15 minutes after a way tried on it before ended with a %s that nobody has seen the end of',
    (call) => {
      const tried = (lateCalls?: readonly ['stop' | 'start' | 'reboot']) =>
        undone({
          ...{ opId: 'op-0', outcome: 'not-mended', strategy: 'reattach', newInstanceId: null },
          ...{ endedAtWallMs: ENDED + 5 * MINUTE_MS, ...(lateCalls ? { lateCalls: [...lateCalls] } : {}) },
        });
      const after = { history: [undone(), tried([call])] };
      expect(refusal({ ...after, nowWallMs: ENDED + 20 * MINUTE_MS - 1 })).toBe('LateCallsMayLand');
      expect(refusal({ ...after, nowWallMs: ENDED + 20 * MINUTE_MS })).toBe('possible');
      expect(refusal({ history: [undone(), tried()], nowWallMs: ENDED + 6 * MINUTE_MS })).toBe('possible');
    },
  );
  test('for 15 minutes after something without a token was put back, and not after an Elastic IP', () => {
    const flip = { holder: 'nobody', seenAtWallMs: ENDED + 30 * MINUTE_MS, tries: 1 };
    const after = (move: string) =>
      undone({ moved: [{ move, item: 'x', place: {}, flip }], writtenAtWallMs: ENDED + 30 * MINUTE_MS });
    expect(refusal({ history: [after('secondary')], nowWallMs: ENDED + 31 * MINUTE_MS })).toBe('LateCallsMayLand');
    expect(refusal({ history: [after('secondary')], nowWallMs: ENDED + 45 * MINUTE_MS })).toBe('possible');
    expect(refusal({ history: [after('address')], nowWallMs: ENDED + 31 * MINUTE_MS })).toBe('possible');
  });
  test.each([
    ['detach', 'DetachMayLand'],
    ['stop', 'LateCallsMayLand'],
  ] as const)('for 15 minutes after an earlier recovery of it left a %s open', (call, code) => {
    const earlier = undone({
      ...{ opId: 'op-0', outcome: 'not-mended', strategy: 'reattach', newInstanceId: null, lateCalls: [call] },
      ...{ endedAtWallMs: ENDED - 5 * MINUTE_MS, steps: [step('detach-vol-2')] },
    });
    const history = [earlier, undone()];
    expect(refusal({ history, nowWallMs: ENDED + 2 * MINUTE_MS })).toBe(code);
    expect(refusal({ history, nowWallMs: ENDED + 10 * MINUTE_MS })).toBe('possible');
  });
  test('with the loss that has to be accepted, and what does instead where disks have moved', () => {
    const said = (over: Partial<UndoFacts>) => {
      const verdict = decideUndo(facts(over));
      return verdict.kind === 'refused' ? verdict.problem.text : '';
    };
    expect(said({ acceptLossMs: null })).toMatch(/--accept-loss <duration>, with at least 1260s/);
    const undo = { volumeIds: ['vol-1'], movedVolumeIds: ['vol-1'] };
    expect(said({ history: [undone({ undo })] })).toMatch(/vol-1 of i-old moved .* --strategy reattach/);
  });
});
