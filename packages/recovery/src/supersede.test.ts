import type { HistoryRecord, PlannedAddress, Term } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { KEYS, MEMBER, NEW, OLD, putThrough, type RigOptions, RunRig } from './run.fixtures.ts';
import { supersede } from './supersede.ts';

const address = (allocationId: string): PlannedAddress => ({
  allocationId,
  publicIp: `ip-${allocationId}`,
  associationId: null,
});
const volume = (over: object) => ({
  ...{ volumeId: 'vol-1', deviceName: '/dev/xvda', isRoot: true, sizeGiB: 8, volumeType: 'gp3', iops: null },
  ...{ throughputMiBps: null, encrypted: false, kmsKeyId: null, deleteOnTermination: true, tags: {} },
  ...over,
});

/** A recovery whose replacement is activated, with chores left. */
class Activated extends RunRig {
  readonly activation: { record: { opId: string | null }; modRevision: number };

  constructor(options: RigOptions = {}) {
    super(options);
    putThrough(this, 'activate');
    const record = { member: MEMBER, incarnation: 2, instanceId: NEW, opId: this.opId, ordinal: 0 };
    this.activation = { record, modRevision: this.put(KEYS.activation(MEMBER), record) };
  }

  supersede(term: Term = this.term().term): Promise<boolean> {
    const options = { kv: this.parts.kv, keys: KEYS, wallMs: () => this.clock.wallMs() };
    return this.clock.runUntilSettled(supersede(options, this.intent, this.activation, term, 'it fell silent'));
  }

  get history(): HistoryRecord | null {
    const [entry] = this.kv.entries(KEYS.historyEntry(MEMBER, this.opId));
    return entry ? (JSON.parse(entry.value) as HistoryRecord) : null;
  }
  get isOpen(): boolean {
    return this.kv.entries(KEYS.intent(MEMBER)).length === 1;
  }
}

describe('a recovery whose replacement has failed before its chores were done', () => {
  test('is closed: history in, and intent, journal, hold and request out', async () => {
    const rig = new Activated();
    rig.put(KEYS.hold(MEMBER), {
      ...{ member: MEMBER, reason: 'CloudDenied', text: 't', sinceWallMs: 1, untilWallMs: null, opId: rig.opId },
    });
    expect(await rig.supersede()).toBe(true);
    expect(rig.history).toMatchObject({
      outcome: 'replaced',
      oldInstanceId: OLD,
      newInstanceId: NEW,
      newIncarnation: 2,
    });
    expect(rig.isOpen).toBe(false);
    expect(rig.kv.entries(KEYS.journalOf(rig.opId))).toEqual([]);
    expect(rig.kv.entries(KEYS.hold(MEMBER))).toEqual([]);
  });

  test('ended when its replacement was put in charge: cooldown counts from there', async () => {
    const rig = new Activated();
    const activatedAtWallMs = rig.clock.wallMs();
    await rig.clock.advance(3_600_000);
    await rig.supersede();
    expect(rig.history?.endedAtWallMs).toBe(activatedAtWallMs);
  });

  test('hands on what was not done: chores with their reason, and addresses that were never seen on the replacement', async () => {
    const addresses = [address('a1'), address('a2')];
    const plan = {
      addresses,
      protection: { stop: true, termination: false },
      volumes: [volume({ deleteOnTermination: false })],
    };
    const rig = new Activated({ plan });
    rig.putStep('address-a1', { state: 'done', result: { associationId: 'as-1' } });
    rig.putStep('address-a2', { state: 'started' });
    await rig.clock.advance(1_000);
    await rig.supersede();
    const { owed, owedAddresses, reason } = rig.history ?? {};
    const obstacle = { code: 'ReplacementFailed', text: 'it fell silent', sinceWallMs: rig.clock.wallMs() };
    expect(owed?.map((one) => one.chore.kind)).toEqual(['retire-volume', 'protect', 'bind-interface']);
    expect(owed?.map((one) => one.obstacle)).toEqual([obstacle, obstacle, obstacle]);
    expect(owedAddresses).toEqual([{ ...address('a2'), owedFrom: [OLD] }]);
    expect(reason).toContain('its replacement failed before everything was in place on it (it fell silent)');
    expect(reason).toMatch(/Handed on: address ip-a2; .*stop protection of i-new; eni-1/);
  });

  test('ended now where the journal does not say when', async () => {
    const rig = new Activated();
    rig.putStep('activate', { state: 'done', result: { instanceId: NEW, incarnation: 2 }, endedAtWallMs: null });
    await rig.clock.advance(7_000);
    await rig.supersede();
    expect(rig.history?.endedAtWallMs).toBe(rig.clock.wallMs());
  });

  test('says nothing more of how it ended than is known: it was heard, and no service is blamed', async () => {
    const rig = new Activated();
    await rig.supersede();
    expect(rig.history?.reason).toMatch(/^dead; its replacement failed/);
  });
});

describe('nothing is closed', () => {
  test('of a recovery that has activated nobody', async () => {
    const rig = new Activated();
    rig.activation.record.opId = 'op-other';
    await expect(rig.supersede()).rejects.toThrow('is not to be superseded');
    expect(rig.isOpen).toBe(true);
  });

  test('of a recovery whose plan this build does not know: what it leaves behind could not be said', async () => {
    const rig = new Activated();
    const record = { ...rig.intent.record, plan: { ...rig.intent.record.plan, strategy: 'levitate' } };
    const { kv, clock } = rig;
    const options = { kv: kv.client('c9'), keys: KEYS, wallMs: () => clock.wallMs() };
    const { modRevision } = rig.intent;
    const closing = supersede(options, { record, modRevision }, rig.activation, rig.term().term, 'it fell silent');
    expect(await clock.runUntilSettled(closing)).toBe(false);
    expect(rig.isOpen).toBe(true);
  });

  test.each([
    ['is not done', (rig: Activated) => rig.putStep('activate', { state: 'started' })],
    ['has gone', (rig: Activated) => rig.delete(KEYS.journalStep(rig.opId, 'activate'))],
  ] as const)('when its activation %s in the journal: somebody has closed it', async (_name, change) => {
    const rig = new Activated();
    change(rig);
    expect(await rig.supersede()).toBe(false);
    expect(rig.isOpen).toBe(true);
  });

  /** What happens after the journal was read, at the moment of the transaction. */
  const meanwhile = (rig: Activated, change: () => unknown): Term => {
    const { term } = rig.term();
    const commit: Term['commit'] = (write) => {
      change();
      return term.commit(write);
    };
    return Object.assign(Object.create(term) as Term, { commit });
  };
  const putActivation = (rig: Activated) =>
    rig.put(KEYS.activation(MEMBER), { member: MEMBER, incarnation: 3, instanceId: 'i-third', opId: null, ordinal: 0 });

  test.each([
    ['the activation', putActivation],
    ['the intent', (rig: Activated) => rig.put(KEYS.intent(MEMBER), rig.intent.record)],
    [
      'the step that activated',
      (rig: Activated) => rig.putStep('activate', { state: 'done', result: { instanceId: NEW, incarnation: 2 } }),
    ],
    [
      'the record of an address that had begun',
      (rig: Activated) => rig.putStep('address-a1', { state: 'done', result: { associationId: 'as-1' } }),
    ],
    ['the record of an address that had not', (rig: Activated) => rig.putStep('address-a2')],
  ] as const)('when %s changes meanwhile', async (_name, change) => {
    const rig = new Activated({ plan: { addresses: [address('a1'), address('a2')] } });
    rig.putStep('address-a1');
    expect(await rig.supersede(meanwhile(rig, () => change(rig)))).toBe(false);
    expect(rig.history).toBeNull();
    expect(rig.kv.entries(KEYS.journalOf(rig.opId)).length).toBeGreaterThan(0);
  });

  test('when somebody else has done it', async () => {
    const rig = new Activated();
    rig.put(KEYS.historyEntry(MEMBER, rig.opId), { opId: rig.opId });
    expect(await rig.supersede()).toBe(false);
    expect(rig.isOpen).toBe(true);
  });
});
