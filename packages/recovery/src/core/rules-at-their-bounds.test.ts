import { REGISTERED } from '../registered.ts';
import { snapshotAndReplace } from '../strategies/snapshot-and-replace.ts';
import { planFixture } from './plan.fixture.ts';
import { type CloudSnapshot, type CloudVolume, OperationError, type PlannedVolume, TAG } from '@understudy/shared';
import { describe, expect, it } from 'vitest';
import { addressMove } from './elastic-ip-move.ts';
import { adoptableSet, captureProgress, missingVolumes, snapshotSets } from './capture-decision.ts';
import { decideFence, restlessVolumes } from './fence-decision.ts';
import { adviseOnLaunchError, findLaunched } from './launch-outcome.ts';
import { readySteps, type StepStates } from './step-table.ts';
import { type ReplacementSeen, verifyProgress } from './verify-progress.ts';

const snapshot = (snapshotId: string, volumeId: string, set: number | null, state = 'completed'): CloudSnapshot =>
  ({
    snapshotId,
    volumeId,
    state,
    progressPercent: 100,
    tags: set === null ? {} : { [TAG.snapshotSet]: String(set) },
  }) as never;
const volume = (volumeId: string): PlannedVolume => ({ volumeId }) as never;
const VOLUMES = [volume('vol-a'), volume('vol-b')];

describe('snapshots', () => {
  it('of one call are one set; those without a number are somebody else’s', () => {
    const sets = snapshotSets([
      snapshot('s3', 'vol-a', 2),
      snapshot('s1', 'vol-a', 1),
      snapshot('s4', 'vol-b', 2),
      snapshot('s0', 'vol-a', null),
      snapshot('s2', 'vol-b', 1),
    ]);
    const shown = sets.map((set) => [set.number, set.snapshots.map((one) => one.snapshotId)]);
    expect(shown).toEqual([
      [0, ['s0']],
      [1, ['s1', 's2']],
      [2, ['s3', 's4']],
    ]);
  });

  it('that failed are as good as missing, also where another one of the volume is fine', () => {
    const set = { number: 1, snapshots: [snapshot('s1', 'vol-a', 1), snapshot('s2', 'vol-b', 1, 'error')] };
    expect(missingVolumes(VOLUMES, set)).toEqual(['vol-b']);
    const both = { number: 1, snapshots: [...set.snapshots, snapshot('s3', 'vol-b', 1)] };
    expect(missingVolumes(VOLUMES, both)).toEqual([]);
    expect(adoptableSet(VOLUMES, [both], [])).toBeNull();
  });

  it('of the first complete set are adopted; one that was put aside is not', () => {
    const good = (number: number) => ({
      number,
      snapshots: [snapshot(`a${number}`, 'vol-a', number), snapshot(`b${number}`, 'vol-b', number)],
    });
    const half = { number: 1, snapshots: [snapshot('a1', 'vol-a', 1)] };
    expect(adoptableSet(VOLUMES, [half, good(2), good(3)], [])?.number).toBe(2);
    expect(adoptableSet(VOLUMES, [half, good(2), good(3)], [2])?.number).toBe(3);
    expect(adoptableSet(VOLUMES, [half], [])).toBeNull();
  });

  it('are complete when all of them are seen complete: one that is not shown is pending', () => {
    const seen = [snapshot('a', 'vol-a', 1), snapshot('b', 'vol-b', 1, 'pending'), snapshot('x', 'vol-x', 9, 'error')];
    expect(captureProgress(['a'], seen).kind).toBe('completed');
    expect(captureProgress(['a', 'b'], seen).kind).toBe('pending');
    expect(captureProgress(['a', 'c'], seen)).toMatchObject({ kind: 'pending', percent: 50 });
    expect(captureProgress(['a', 'x'], seen).kind).toBe('failed');
  });
});

describe('a fence', () => {
  const limits = { confirmSpacingMs: 2_000, restopAfterMs: 60_000 };
  const seen = { state: 'stopped', nowMs: 10_000, askedAtMs: 1_000, sawMoving: false, stoppedSinceMs: null } as const;

  it('that reads as stopped needs a second look, and the look before has to count', () => {
    expect(decideFence(seen, limits).kind).toBe('wait');
    expect(decideFence({ ...seen, stoppedSinceMs: 8_001 }, limits).kind).toBe('wait');
    expect(decideFence({ ...seen, stoppedSinceMs: 8_000 }, limits)).toEqual({ kind: 'fenced', how: 'stopped' });
  });

  it('waits for the volumes of this instance, not for those another one has', () => {
    const attached = (instanceId: string, state: string): CloudVolume =>
      ({ volumeId: `${instanceId}-${state}`, attachments: [{ instanceId, state }] }) as never;
    const volumes = [attached('i-old', 'busy'), attached('i-old', 'attached'), attached('i-other', 'detaching')];
    expect(restlessVolumes(volumes, 'i-old').map((one) => one.volumeId)).toEqual(['i-old-busy']);
    expect(restlessVolumes([attached('i-old', 'detached')], 'i-old')).toEqual([]);
  });
});

describe('what EC2 says of a launch', () => {
  const error = (code: ConstructorParameters<typeof OperationError>[0], upstreamCode: string) =>
    new OperationError(code, 'x', { upstreamCode });

  it.each(['InsufficientFreeAddressesInSubnet', 'InstanceLimitExceeded', 'VcpuLimitExceeded'])(
    '%s passes or is lifted, whatever class it has',
    (code) => {
      expect(adviseOnLaunchError(error('CLOUD_REJECTED', code))).toEqual({ kind: 'failed', failure: 'capacity' });
    },
  );

  it('a token used with other parameters is looked after: something may have been launched under it', () => {
    expect(adviseOnLaunchError(error('CLOUD_REJECTED', 'IdempotentParameterMismatch')).kind).toBe('observe');
  });

  it('an instance found by its tags counts with the token or with the permit on any of its cards, not without', () => {
    const instance = (instanceId: string, clientToken: string, enis: readonly string[]) =>
      ({
        instanceId,
        clientToken,
        networkInterfaces: enis.map((networkInterfaceId) => ({ networkInterfaceId })),
      }) as never;
    const find = (one: never) => findLaunched({ byToken: [], byTags: [one], permitHolders: [] }, 'tok', 'eni-1').kind;
    expect(find(instance('i-1', 'other', ['eni-9', 'eni-1']))).toBe('launched');
    expect(find(instance('i-1', 'tok', []))).toBe('launched');
    expect(find(instance('i-1', 'other', ['eni-9']))).toBe('none');
    const two = { byToken: [instance('i-1', 'tok', [])], byTags: [], permitHolders: ['i-2'] };
    expect(findLaunched(two, 'tok', 'eni-1')).toEqual({ kind: 'several', instanceIds: ['i-1', 'i-2'] });
  });
});

describe('an address', () => {
  const want = {
    networkInterfaceId: 'eni-new',
    oldInstanceId: 'i-old',
    oldInterfaceId: 'eni-old',
    plannedAssociationId: 'assoc-1',
    recordedAssociationId: 'assoc-1',
  };
  const seen = (part: object) =>
    ({
      allocationId: 'a',
      publicIp: '1.2.3.4',
      instanceId: null,
      networkInterfaceId: null,
      associationId: null,
      ...part,
    }) as never;

  it('is done on our interface with an association, and only then', () => {
    expect(addressMove(seen({ networkInterfaceId: 'eni-new', associationId: 'assoc-2' }), want).kind).toBe('done');
    expect(addressMove(seen({ networkInterfaceId: 'eni-new' }), want).kind).not.toBe('done');
  });

  it.each([
    [{ instanceId: 'i-x', networkInterfaceId: 'eni-x', associationId: 'assoc-x' }, 'i-x'],
    [{ networkInterfaceId: 'eni-x', associationId: 'assoc-x' }, 'eni-x'],
  ])('that another one holds is named by its holder', (part, holder) => {
    const move = addressMove(seen(part), want);
    expect(move).toMatchObject({ kind: 'held' });
    expect(JSON.stringify(move)).toContain(holder);
  });
});

describe('a replacement', () => {
  const policy = {
    detect: { suspectAfterMs: 5_000 },
    recover: { settleMs: 3_000, launchTimeoutMs: 300_000, requireStatusChecks: true },
  };
  const ok = { instanceId: 'i-new', state: 'running', system: 'ok', instance: 'ok', attachedEbs: 'ok', events: [] };
  const seen = (part: object): ReplacementSeen =>
    ({
      instance: { instanceId: 'i-new', state: 'running', stateReasonText: null, stateReasonCode: null },
      status: ok,
      impairedReads: 0,
      promiseFault: null,
      heartbeat: { lastHeardAtMs: 99_500, passingSinceMs: 96_000 },
      nowMs: 100_000,
      waitedMs: 10_000,
      ...part,
    }) as never;
  const kind = (part: object) => verifyProgress(seen(part), policy).kind;

  it.each([
    ['all are ok', {}, 'passed'],
    ['it has no EBS to check', { attachedEbs: 'not-applicable' }, 'passed'],
    ['EBS is not known yet', { attachedEbs: 'insufficient-data' }, 'wait'],
    ['the system is not', { system: 'initializing' }, 'wait'],
    ['the instance is not', { instance: 'initializing' }, 'wait'],
  ])('whose status checks are asked for passes only when they pass: %s', (_what, part, expected) => {
    expect(kind({ status: { ...ok, ...part } })).toBe(expected);
  });

  it('whose agent does not promise what is asked is not activated', () => {
    expect(kind({ promiseFault: 'its agent has no armed watchdog' })).toBe('wait');
  });

  it.each([
    [
      'silent for exactly as long as suspect takes',
      { heartbeat: { lastHeardAtMs: 95_000, passingSinceMs: 90_000 } },
      'wait',
    ],
    ['settled at this very moment', { heartbeat: { lastHeardAtMs: 99_500, passingSinceMs: 97_000 } }, 'passed'],
    ['pending for exactly the launch timeout', { instance: { state: 'pending' }, waitedMs: 300_000 }, 'wait'],
  ])('at the bound: %s', (_what, part, expected) => {
    expect(kind(part)).toBe(expected);
  });
});

it('no permit is made before the fence is proven', () => {
  const states: StepStates = new Map([['fence', 'started']]);
  const names = readySteps(states, snapshotAndReplace.steps(planFixture(), REGISTERED)).map((key) => key.name);
  expect(names).toEqual(['fence']);
});
