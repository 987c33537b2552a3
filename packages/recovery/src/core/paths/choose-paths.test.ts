import { type CloudSnapshot, type CloudVolume, DEFAULT_POLICY, type VolumesPolicy } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { planInputFixture, volumeFixture } from '../plan.fixture.ts';
import { choosePaths, type PathChoice } from './choose-paths.ts';
import { diskFactsOf, type PathScene } from './disk-facts.ts';
import { pathTexts } from './path-text.ts';

const HOUR_MS = 3_600_000;
const ALL = ['reattach', 'copy', 'snapshot', 'latest-snapshot', 'multi-attach'];
const REPLACING = ALL.filter((one) => one !== 'reattach');
const AZ = 'us-east-1a';

const snapshot = (volumeId: string, startedAtWallMs: number, over: Partial<CloudSnapshot> = {}): CloudSnapshot => ({
  ...{ snapshotId: `snap-${volumeId}-${startedAtWallMs}`, volumeId, state: 'completed', progressPercent: 100 },
  ...{ startedAtWallMs, tags: {} },
  ...over,
});
/** Root and data of one moment. */
const set = (atWallMs: number): readonly CloudSnapshot[] => [
  snapshot('vol-root', atWallMs),
  snapshot('vol-data', atWallMs),
];

interface Asked {
  readonly root?: Partial<CloudVolume>;
  readonly data?: Partial<CloudVolume>;
  readonly policy?: Partial<VolumesPolicy>;
  readonly snapshots?: readonly CloudSnapshot[];
  readonly impaired?: readonly string[];
  readonly leaveAz?: string;
  readonly scene?: Partial<PathScene>;
}

function chosen(asked: Asked): PathChoice {
  const policy = { ...DEFAULT_POLICY.recover.volumes, ...asked.policy };
  const input = planInputFixture({
    volumes: [
      volumeFixture({ volumeId: 'vol-root', ...asked.root }),
      volumeFixture({ volumeId: 'vol-data', ...asked.data }),
    ],
    snapshots: asked.snapshots ?? [],
    impairedVolumeIds: new Set(asked.impaired ?? []),
  });
  const scene = { offered: REPLACING, staysInZone: false, candidates: [{ az: AZ }], nowWallMs: 10 * HOUR_MS };
  return choosePaths(diskFactsOf(input, policy, asked.leaveAz ?? null), { ...scene, policy, ...asked.scene });
}

/** Path of the root and of the data disk; or the problems' codes. */
function pathsOf(asked: Asked): readonly string[] {
  const choice = chosen(asked);
  if (choice.kind === 'impossible') return choice.problems.map((one) => one.code);
  return choice.volumes.map((one) => one.path ?? 'snapshot');
}
function dataOf(asked: Asked) {
  const choice = chosen(asked);
  const found = choice.kind === 'chosen' ? choice.volumes.find((one) => one.volumeId === 'vol-data') : undefined;
  if (!found) throw new Error(JSON.stringify(choice));
  return found;
}
const rejection = (asked: Asked, path: string) =>
  dataOf(asked).choice?.rejected.find((one) => one.path === path)?.reason;
const accepts = (maxDataLossMs: number) => ({ maxDataLossMs });

describe('the path of a disk', () => {
  test('is a snapshot where little is to be copied, because a seed has to be stopped and started for others', () => {
    expect(pathsOf({ root: { fromSnapshotId: 'snap-0' }, data: { fromSnapshotId: 'snap-0' } })).toEqual([
      'snapshot',
      'snapshot',
    ]);
  });

  test('is a copy, of all disks, where one snapshot would take longer than the seed', () => {
    expect(pathsOf({ data: { sizeGiB: 1_000, fromSnapshotId: 'snap-0' } })).toEqual(['copy', 'copy']);
  });

  test('is the disk itself where the strategy moves it, and it loses nothing to move', () => {
    expect(pathsOf({ scene: { offered: ALL, staysInZone: true } })).toEqual(['reattach', 'reattach']);
    const apart = [{ az: AZ }, { az: 'us-east-1b' }];
    expect(pathsOf({ scene: { offered: ALL, staysInZone: true, candidates: apart } })).toEqual([
      'reattach',
      'reattach',
    ]);
  });

  test('leads to every zone that the policy names: a disk that stays in its zone does not', () => {
    const data = { sizeGiB: 1_000 };
    const scene = { candidates: [{ az: AZ }, { az: 'us-east-1b' }] };
    expect(pathsOf({ data, scene })).toEqual(['snapshot', 'snapshot']);
    expect(rejection({ data, scene }, 'copy')).toBe(`placements outside ${AZ} could not be used`);
    expect(rejection({ data, scene: { candidates: [{ az: 'us-east-1b' }] } }, 'copy')).toBe(
      `no placement is in ${AZ}, where it is`,
    );
  });

  test('is the pinned one, by id before device before all', () => {
    const pin = { all: 'snapshot', '/dev/sdf': 'copy' } as const;
    expect(pathsOf({ policy: { pin } })).toEqual(['snapshot', 'copy']);
    expect(pathsOf({ policy: { pin: { ...pin, 'vol-data': 'snapshot' } } })).toEqual(['snapshot', 'snapshot']);
    expect(dataOf({ policy: { pin } }).choice?.reason).toBe('pinned (recover.volumes.pin)');
    expect(rejection({ policy: { pin } }, 'snapshot')).toBe('copy is pinned (recover.volumes.pin)');
  });

  test('is no forbidden one', () => {
    const data = { sizeGiB: 1_000 };
    expect(pathsOf({ data, policy: { forbid: { all: ['copy'] } } })).toEqual(['snapshot', 'snapshot']);
    expect(rejection({ data, policy: { forbid: { all: ['copy'] } } }, 'copy')).toBe(
      'forbidden (recover.volumes.forbid)',
    );
    expect(pathsOf({ policy: { forbid: { '/dev/sdf': ['copy', 'snapshot'] } } })).toEqual(['VolumePathImpossible']);
  });

  test('is refused where the pinned one cannot be taken, with the reason of each', () => {
    const choice = chosen({ policy: { pin: { all: 'reattach' } } });
    expect(choice).toMatchObject({ kind: 'impossible', problems: [{ code: 'VolumePathImpossible' }, {}] });
    expect(JSON.stringify(choice)).toContain('reattach: not part of this strategy');
    expect(JSON.stringify(choice)).toContain('snapshot: reattach is pinned');
  });

  test('says why it is taken and why no other is, with what each would take', () => {
    const big = { data: { sizeGiB: 1_000, fromSnapshotId: 'snap-0' } };
    expect(dataOf(big).choice?.reason).toBe('loses nothing, and is the fastest: about 24 s after the fence');
    expect(rejection(big, 'snapshot')).toBe('not faster: about 8.3 min');
    expect(rejection(big, 'multi-attach')).toBe('it is no Multi-Attach volume');
    expect(pathTexts(dataOf(big))[0]).toBe(
      'vol-data (/dev/sdf) by copy (loses nothing, and is the fastest: about 24 s after the fence)',
    );
    expect(pathTexts(dataOf(big))).toHaveLength(5);
  });

  test('restores at the rate of the policy', () => {
    expect(dataOf({ policy: { initializationRateMiBps: 300, pin: { all: 'snapshot' } } }).initializationRateMiBps).toBe(
      300,
    );
    const copied = { policy: { initializationRateMiBps: 300, pin: { all: 'copy' } } } as const;
    expect(dataOf(copied).initializationRateMiBps).toBeUndefined();
  });
});

const MOVING = { offered: ALL, staysInZone: true };

describe('**S** a disk of an instance that keeps its root', () => {
  const rootCopied = { pin: { '/dev/xvda': 'copy' } } as const;
  test('does not move: a start would have it run while the disk is taken off, and boot without it', () => {
    const asked = { policy: rootCopied, scene: MOVING };
    expect(pathsOf(asked)).toEqual(['copy', 'copy']);
    expect(rejection(asked, 'reattach')).toBe(
      'a disk moves only where the root moves, so that the old instance cannot run without it',
    );
  });

  test('that can only move is refused, and it is said why', () => {
    const pinned = { pin: { ...rootCopied.pin, 'vol-data': 'reattach' } } as const;
    const choice = chosen({ policy: pinned, scene: MOVING });
    expect(choice).toMatchObject({ kind: 'impossible', problems: [{ code: 'VolumePathImpossible' }] });
    expect(JSON.stringify(choice)).toContain('vol-data can only move, and its root does not');
    expect(pathsOf({ data: { multiAttach: true }, policy: rootCopied, scene: MOVING })).toEqual([
      'VolumePathImpossible',
    ]);
  });

  test('may be copied beside a root that moves: an instance without its root cannot be started', () =>
    expect(pathsOf({ policy: { pin: { 'vol-data': 'copy' } }, scene: MOVING })).toEqual(['reattach', 'copy']));
});

describe('**S** a disk that several instances may write to', () => {
  const shared = { multiAttach: true };
  test('is attached to the successor, and never copied', () => {
    const asked = { data: shared, scene: MOVING };
    expect(pathsOf(asked)).toEqual(['reattach', 'multi-attach']);
    for (const path of ['reattach', 'copy', 'snapshot', 'latest-snapshot'])
      expect(rejection(asked, path), path).toContain('a second truth');
  });

  test('is so too while it is attached to another instance, whatever its flag says', () => {
    const attachments = ['i-1', 'i-2'].map((instanceId) => ({ instanceId, deviceName: '', state: 'attached' }));
    expect(pathsOf({ data: { attachments }, scene: MOVING })).toEqual(['reattach', 'multi-attach']);
  });

  test.each<[string, Asked]>([
    ['the strategy cannot attach it', { data: shared, scene: { offered: ['snapshot', 'copy'] } }],
    ['the successor goes to another zone', { data: shared, scene: { candidates: [{ az: 'us-east-1b' }] } }],
    ['a copy is pinned', { data: shared, policy: { pin: { all: 'copy' } } }],
    ['it is the root', { root: shared }],
    ['its zone is lost', { data: shared, leaveAz: AZ, policy: accepts(HOUR_MS), snapshots: set(9.5 * HOUR_MS) }],
  ])('refuses the recovery where %s', (_, asked) => expect(pathsOf(asked)).toContain('VolumeMultiAttach'));
});

describe('an earlier snapshot', () => {
  const failed: Asked = { data: { state: 'error' }, snapshots: set(9 * HOUR_MS) };

  test('is never taken unless the group accepts a loss', () => {
    expect(pathsOf(failed)).toEqual(['VolumePathImpossible']);
    expect(JSON.stringify(chosen(failed))).toContain('the group accepts no loss of data');
  });

  test('is taken of all disks, of one moment, where one cannot be reached', () => {
    const asked = { ...failed, policy: accepts(2 * HOUR_MS) };
    expect(pathsOf(asked)).toEqual(['latest-snapshot', 'latest-snapshot']);
    expect(dataOf(asked)).toMatchObject({
      from: { snapshotId: `snap-vol-data-${9 * HOUR_MS}`, takenAtWallMs: 9 * HOUR_MS },
      choice: { reason: 'EC2 says that it is in state error' },
    });
    expect(pathTexts(dataOf(asked))[0]).toContain('as snap-vol-data-32400000 of 1970-01-01T09:00:00.000Z has it');
  });

  test('is of the unreachable disk alone where moments may be mixed', () => {
    const policy = { ...accepts(2 * HOUR_MS), mixedMoments: true };
    expect(pathsOf({ ...failed, policy })).toEqual(['snapshot', 'latest-snapshot']);
  });

  test('is not taken while the disk can be reached, unless it is pinned', () => {
    const asked = { policy: accepts(2 * HOUR_MS), snapshots: set(9 * HOUR_MS) };
    expect(pathsOf(asked)).toEqual(['snapshot', 'snapshot']);
    expect(rejection(asked, 'latest-snapshot')).toBe('what was written since its snapshot would be lost');
    const pinned = { ...asked, policy: { ...asked.policy, pin: { all: 'latest-snapshot' } } } as const;
    expect(pathsOf(pinned)).toEqual(['latest-snapshot', 'latest-snapshot']);
  });

  test('is taken of a disk that EC2 calls impaired', () => {
    const asked = { impaired: ['vol-data'], snapshots: set(9 * HOUR_MS), policy: accepts(2 * HOUR_MS) };
    expect(pathsOf(asked)).toEqual(['latest-snapshot', 'latest-snapshot']);
  });

  test('is taken before a snapshot of a lost zone, of which nobody knows whether it can be made', () => {
    const lost = { leaveAz: AZ, snapshots: set(9 * HOUR_MS), scene: { candidates: [{ az: 'us-east-1b' }] } };
    expect(pathsOf({ ...lost, policy: accepts(2 * HOUR_MS) })).toEqual(['latest-snapshot', 'latest-snapshot']);
    expect(pathsOf(lost)).toEqual(['snapshot', 'snapshot']);
    expect(dataOf(lost).choice?.reason).toContain('us-east-1a is lost, and no earlier snapshot may be used');
  });

  test.each<[string, readonly CloudSnapshot[], string]>([
    ['older than the group accepts', set(7 * HOUR_MS), 'is 3 h old, and the group accepts a loss of 2 h'],
    ['not complete', set(9 * HOUR_MS).map((one) => ({ ...one, state: 'pending' })), 'no complete snapshots'],
    [
      'of another moment than the others',
      [snapshot('vol-root', 9 * HOUR_MS), snapshot('vol-data', 9 * HOUR_MS + 1)],
      'no complete snapshots of all disks of one moment',
    ],
    ['of another volume', [snapshot('vol-else', 9 * HOUR_MS)], 'no complete snapshots'],
  ])('is not taken where it is %s', (_, snapshots, text) => {
    const asked = { data: { state: 'error' }, snapshots, policy: accepts(2 * HOUR_MS) };
    expect(pathsOf(asked)).toContain('VolumePathImpossible');
    expect(JSON.stringify(chosen(asked))).toContain(text);
  });

  test('is the newest that all disks have one of', () => {
    const snapshots = [...set(8.5 * HOUR_MS), ...set(9 * HOUR_MS), snapshot('vol-data', 9.5 * HOUR_MS)];
    const asked = { ...failed, snapshots, policy: accepts(2 * HOUR_MS) };
    expect(dataOf(asked).from?.takenAtWallMs).toBe(9 * HOUR_MS);
    const mixed = { ...asked, policy: { ...asked.policy, mixedMoments: true } };
    expect(dataOf(mixed).from?.takenAtWallMs).toBe(9.5 * HOUR_MS);
  });

  test('is not taken where it is not known how old it is', () => {
    const asked = { ...failed, policy: accepts(2 * HOUR_MS), scene: { nowWallMs: null } };
    expect(JSON.stringify(chosen(asked))).toContain('how old its snapshot is is not known');
  });

  test('refuses where the disks would be of different moments', () => {
    const pin = { '/dev/xvda': 'snapshot', '/dev/sdf': 'latest-snapshot' } as const;
    const asked = { snapshots: set(9 * HOUR_MS), policy: { ...accepts(2 * HOUR_MS), pin } };
    expect(JSON.stringify(chosen(asked))).toContain('recover.volumes.mixedMoments allows others');
    const mixed = { ...asked, policy: { ...asked.policy, mixedMoments: true } };
    expect(pathsOf(mixed)).toEqual(['snapshot', 'latest-snapshot']);
  });
});
