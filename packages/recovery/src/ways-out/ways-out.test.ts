import { type ActivationRecord, opIdOf } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { KEYS, LAUNCH_REQUEST, MEMBER, NEW, OLD, PERMIT_REQUEST, putThrough } from '../run.fixtures.ts';
import { readRequest } from '../request.ts';
import { Asked, beforeActivation } from './ways-out.fixtures.ts';
import { carryOut } from './carry-out.ts';
import { endOpenAttempt } from './end-attempt.ts';
import { journalCompares } from './outcome.ts';

describe('what is asked', () => {
  test('and done is in the acts of the intent; request and own hold are gone; the run goes on with that intent', async () => {
    const rig = new Asked();
    rig.hold();
    rig.ask({ kind: 'retry', by: 'ann', why: 'room is back' });
    const { outcome } = await rig.carryOut();
    const acts = [
      expect.objectContaining({
        kind: 'retry',
        by: 'ann',
        why: 'room is back',
        carriedOutAtWallMs: rig.clock.wallMs(),
      }),
    ];
    expect(rig.stored.acts).toEqual(acts);
    expect(outcome).toMatchObject({ kind: 'go-on', intent: { record: { acts }, modRevision: rig.kv.revision } });
    expect([rig.has(KEYS.request(MEMBER)), rig.has(KEYS.hold(MEMBER))]).toEqual([false, false]);
  });

  test('and refused is in the acts too, with the reason; the hold stays', async () => {
    const rig = new Asked();
    rig.hold();
    rig.ask({ kind: 'recover' });
    const { outcome, run } = await rig.carryOut();
    expect(outcome.kind).toBe('go-on');
    expect(rig.stored.acts).toMatchObject([{ text: 'refused: its recovery is under way already' }]);
    expect([rig.has(KEYS.request(MEMBER)), rig.has(KEYS.hold(MEMBER))]).toEqual([false, true]);
    expect(run.activities.get('recover')?.text).toContain('capacity is back');
  });

  test('is added to what was asked before; the newest fifty are kept', async () => {
    const act = { kind: 'retry', by: 'b', why: 'w', atWallMs: 1, carriedOutAtWallMs: 2, text: 't' } as const;
    const rig = new Asked({
      intent: { acts: Array.from({ length: 50 }, (_, index) => ({ ...act, why: `${index}` })) },
    });
    rig.ask({ kind: 'retry', why: 'the newest' });
    await rig.carryOut();
    expect([rig.stored.acts?.length, rig.stored.acts?.[0]?.why, rig.stored.acts?.at(-1)?.why]).toEqual([
      50,
      '1',
      'the newest',
    ]);
  });

  test('is looked at again when the request has changed, and nothing is done of a recovery that has', async () => {
    const rig = new Asked();
    rig.ask({ kind: 'retry' });
    expect((await rig.carryOut(() => rig.ask({ kind: 'abandon' }))).outcome).toEqual({ kind: 'again' });
    expect(rig.stored.acts).toBeUndefined();
    await expect(rig.carryOut(() => rig.put(KEYS.intent(MEMBER), rig.intent.record))).rejects.toMatchObject({
      name: 'IntentGone',
    });
    const gone = new Asked();
    gone.ask({ kind: 'retry' });
    await expect(gone.carryOut(() => gone.delete(KEYS.intent(MEMBER)))).rejects.toMatchObject({ name: 'IntentGone' });
  });
});

test('a request of a kind that this version does not know ends in an error, not in a recovery that goes on', async () => {
  const rig = new Asked();
  rig.ask({ kind: 'retry' });
  const run = await rig.run();
  const { kv, keys } = run.parts;
  const request = await rig.clock.runUntilSettled(readRequest({ kv, keys, member: MEMBER }, rig.opId));
  if (!request) throw new Error('nothing is asked');
  const unknown = { ...request, record: { ...request.record, kind: 'of-later' as 'retry' } };
  expect(() => carryOut(run, unknown, { drive: rig.drive, policyOf: () => null })).toThrow('of-later');
});

describe('abandoning', () => {
  test('closes the recovery and raises the ordinal, so that nothing of it can be activated any more', async () => {
    const rig = beforeActivation();
    rig.putStep('fence');
    rig.hold();
    rig.ask({ kind: 'abandon', by: 'ann', why: 'by hand' });
    expect((await rig.carryOut()).outcome).toEqual({ kind: 'closed' });
    const [entry] = rig.kv.entries(KEYS.activation(MEMBER));
    const activation = JSON.parse(entry?.value ?? '{}') as ActivationRecord;
    expect(activation).toMatchObject({ instanceId: OLD, incarnation: 1, ordinal: 1 });
    expect(opIdOf(OLD, 1)).not.toBe(rig.opId);
    expect([KEYS.intent(MEMBER), KEYS.hold(MEMBER), KEYS.request(MEMBER)].map((key) => rig.has(key))).toEqual([
      false,
      false,
      false,
    ]);
    expect(rig.kv.entries(KEYS.journalOf(rig.opId))).toEqual([]);
    const [history] = rig.kv.entries(KEYS.historyEntry(MEMBER, rig.opId));
    expect(JSON.parse(history?.value ?? '{}')).toMatchObject({ outcome: 'abandoned', newInstanceId: null });
    expect(rig.log.linesOf('recovery.abandoned')).toHaveLength(1);
  });

  test('ends the open attempt first, unless it is to be left open', async () => {
    const rig = beforeActivation();
    rig.putStep('permit-1', { request: PERMIT_REQUEST });
    rig.ask({ kind: 'abandon' });
    const ending = await rig.run();
    const stop = async () => {
      throw new Error('it is driven');
    };
    await expect(rig.clock.runUntilSettled(endOpenAttempt(ending, stop, 'x'))).rejects.toThrow('it is driven');
    const open = beforeActivation();
    open.putStep('permit-1', { request: PERMIT_REQUEST });
    open.ask({ kind: 'abandon', leaveOpen: true });
    expect((await open.carryOut()).outcome).toEqual({ kind: 'closed' });
    expect(open.driven).toEqual([]);
  });

  test('is refused once the replacement is in charge, or where the activation is not that of the plan', async () => {
    const active = beforeActivation();
    putThrough(active, 'activate');
    active.ask({ kind: 'abandon' });
    await active.carryOut();
    expect(active.stored.acts).toMatchObject([{ text: expect.stringContaining('its replacement is in charge') }]);
    const changed = beforeActivation();
    changed.put(KEYS.activation(MEMBER), { member: MEMBER, incarnation: 2, instanceId: 'i-x', opId: null, ordinal: 0 });
    changed.ask({ kind: 'abandon' });
    await changed.carryOut();
    expect(changed.stored.acts).toMatchObject([{ text: expect.stringContaining('the activation has changed') }]);
  });

  test('is looked at again when the journal has changed; of a recovery that is over nothing is done', async () => {
    const rig = beforeActivation();
    rig.ask({ kind: 'abandon', leaveOpen: true });
    const { outcome } = await rig.carryOut(() => rig.putStep('activate', { state: 'started' }));
    expect(outcome).toEqual({ kind: 'again' });
    await expect(rig.carryOut(() => rig.delete(KEYS.intent(MEMBER)))).rejects.toMatchObject({ name: 'IntentGone' });
  });
});

describe('ending an open attempt', () => {
  const end = async (rig: Asked, text = 'ended by ann') => {
    const run = await rig.run();
    await rig.clock.runUntilSettled(endOpenAttempt(run, rig.revoked, text));
  };
  const error = { code: 'EndedByOperator', text: 'ended by ann' };

  test('of which nothing was begun does nothing', async () => {
    const rig = new Asked();
    await end(rig);
    expect(rig.driven).toEqual([]);
  });

  test('marks its furthest step as failed, and has it revoked', async () => {
    const begun = new Asked();
    begun.putStep('permit-1', { request: PERMIT_REQUEST });
    await end(begun);
    expect(begun.step('permit-1')).toMatchObject({ state: 'failed', result: { failure: 'capacity' }, error });
    expect(begun.driven).toEqual(['revoke-1']);
    const permitted = new Asked();
    putThrough(permitted, 'permit-1');
    await end(permitted);
    expect(permitted.step('launch-1')).toMatchObject({ state: 'failed', result: { failure: 'capacity' }, error });
    expect(permitted.step('permit-1')?.state, 'its id is what the revocation needs').toBe('done');
    const launched = new Asked();
    putThrough(launched, 'launch-1');
    await end(launched);
    expect(launched.step('verify-1')).toMatchObject({
      state: 'failed',
      request: { instanceId: NEW },
      result: { failure: 'instance' },
      error,
    });
  });

  test('that has failed already is only revoked', async () => {
    const rig = new Asked();
    putThrough(rig, 'permit-1');
    rig.putStep('launch-1', { state: 'failed', request: LAUNCH_REQUEST, result: { failure: 'unknown' } });
    await end(rig);
    expect(rig.step('launch-1')).toMatchObject({ result: { failure: 'unknown' }, error: null });
    expect(rig.driven).toEqual(['revoke-1']);
  });

  test('that somebody else has brought on meanwhile is looked at again', async () => {
    const rig = new Asked();
    rig.putStep('permit-1', { request: PERMIT_REQUEST });
    const run = await rig.run();
    rig.putStep('permit-1', {
      state: 'done',
      request: PERMIT_REQUEST,
      result: { networkInterfaceId: 'eni-1', privateIp: 'ip' },
    });
    const stop = async () => {
      throw new Error('it is driven');
    };
    await expect(rig.clock.runUntilSettled(endOpenAttempt(run, stop, 'x'))).rejects.toThrow('it is driven');
    expect([rig.step('permit-1')?.state, rig.step('launch-1')?.state]).toEqual(['done', 'failed']);
  });

  test('ends with the run', async () => {
    const rig = new Asked();
    rig.putStep('permit-1', { request: PERMIT_REQUEST });
    const run = await rig.run();
    run.stop(new Error('the run ends'));
    await expect(endOpenAttempt(run, rig.drive, 'x')).rejects.toThrow('the run ends');
    expect(rig.step('permit-1')?.state).toBe('started');
  });
});

test('what rests on the journal compares all of it, and that nothing else has begun', async () => {
  const rig = new Asked();
  const fence = rig.putStep('fence');
  const run = await rig.run();
  expect(journalCompares(run, ['activate', 'fence'])).toEqual([
    { key: KEYS.journalStep(rig.opId, 'fence'), modRevision: fence },
    { key: KEYS.journalStep(rig.opId, 'activate'), modRevision: 0 },
  ]);
  for (let number = 1; number <= 120; number += 1) rig.putStep(`revoke-${number}`);
  const many = journalCompares(await rig.run(), ['activate']);
  expect([many.length, many.at(-1)?.key]).toEqual([100, KEYS.journalStep(rig.opId, 'activate')]);
});
