import { describe, expect, test } from 'vitest';
import { choreFactsOf, closingFactsOf, retainedUntil } from './closing.ts';
import { KEYS, NEW, OLD, putThrough, REVOKE_REQUEST, RunRig } from './run.fixtures.ts';

const END = { owed: [], heardAtTheEnd: true, serviceFaultAtTheEnd: null } as const;
const beside = {
  ...{ volumeId: 'vol-2', deviceName: '/dev/sdf', isRoot: false, sizeGiB: 8, volumeType: 'gp3', iops: null },
  ...{ throughputMiBps: null, encrypted: false, kmsKeyId: null, deleteOnTermination: false, tags: {} },
};
const captured = {
  result: {
    set: 1,
    snapshots: [
      { snapshotId: 'snap-1', volumeId: 'vol-1' },
      { snapshotId: 'snap-2', volumeId: 'vol-2' },
    ],
    beside: [beside],
  },
};

describe('what the journal says of a recovery that is through', () => {
  test('is how it was fenced, what it made, what it was done with, and when', async () => {
    const rig = new RunRig();
    putThrough(rig, 'activate', { capture: captured });
    const run = await rig.run();
    await rig.clock.advance(1_000);
    expect(closingFactsOf(run, END)).toMatchObject({
      intent: rig.intent.record,
      ...{ term: run.term.number, endedAtWallMs: rig.clock.wallMs(), newInstanceId: NEW, newIncarnation: 2 },
      ...{ fencedBy: 'stopped', launchAttempts: 1, ...END },
      artefacts: [
        { kind: 'image', id: 'ami-9' },
        { kind: 'snapshot', id: 'snap-1' },
        { kind: 'snapshot', id: 'snap-2' },
      ],
    });
    expect(closingFactsOf(run, END).volumes.map((one) => one.volumeId)).toEqual(['vol-1', 'vol-2']);
    expect(closingFactsOf(run, END).records).toHaveLength(7);
  });

  test('counts the attempts', async () => {
    const rig = new RunRig();
    putThrough(rig, 'activate', {
      'verify-1': { state: 'failed', result: { failure: 'instance' } },
    });
    rig.putStep('revoke-1', {
      state: 'done',
      request: REVOKE_REQUEST,
      result: { instanceTerminated: true, permitGone: true },
    });
    rig.putStep('permit-2', { state: 'done', result: { networkInterfaceId: 'eni-2', privateIp: '10.0.0.8' } });
    rig.putStep('verify-2', { state: 'done', result: { instanceId: 'i-second' } });
    const run = await rig.run();
    expect(closingFactsOf(run, END)).toMatchObject({ launchAttempts: 2, newInstanceId: 'i-second' });
    expect(choreFactsOf(run)).toMatchObject({ newInstanceId: 'i-second', permitId: 'eni-2' });
  });

  test.each(['fence', 'capture', 'image', 'activate'])(
    'is not enough to close it while %s is not done',
    async (step) => {
      const rig = new RunRig();
      putThrough(rig, 'activate', { [step]: { state: 'started', request: null, result: null } });
      const begun = await rig.run();
      expect(() => closingFactsOf(begun, END)).toThrow('not through');
      rig.delete(KEYS.journalStep(rig.opId, step));
      const missing = await rig.run();
      expect(() => closingFactsOf(missing, END)).toThrow('not through');
    },
  );
});

describe('what is to be put in place', () => {
  test('is told from plan and journal', async () => {
    const rig = new RunRig({ policy: { recover: { retainVolumesForMs: null } } });
    putThrough(rig, 'activate', { capture: captured });
    const facts = choreFactsOf(await rig.run());
    expect(facts).toMatchObject({
      ...{ opId: rig.opId, oldInstanceId: OLD, newInstanceId: NEW, permitId: 'eni-1', volumesRetainedUntil: null },
    });
    expect(facts.volumes).toHaveLength(2);
  });

  test('times count from the intent, so that every leader writes the same', async () => {
    const rig = new RunRig({ policy: { recover: { retainVolumesForMs: 86_400_000 } } });
    putThrough(rig, 'activate');
    await rig.clock.advance(3_600_000);
    const run = await rig.run();
    expect(choreFactsOf(run).volumesRetainedUntil).toBe('2026-01-02T00:00:00.000Z');
    expect(retainedUntil(run, 1_000)).toBe('2026-01-01T00:00:01.000Z');
  });

  test.each([
    ['none', { state: 'started', result: null }],
    ['one that failed', { state: 'failed', result: { failure: 'capacity' } }],
  ] as const)('cannot be told with %s for a permit', async (_name, permit) => {
    const rig = new RunRig();
    putThrough(rig, 'activate', { 'permit-1': permit });
    const run = await rig.run();
    expect(() => choreFactsOf(run)).toThrow('without a permit');
    rig.delete(KEYS.journalStep(rig.opId, 'permit-1'));
    const missing = await rig.run();
    expect(() => choreFactsOf(missing)).toThrow('without a permit');
  });
});
