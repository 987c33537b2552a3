import { keyspace, type MemberId, OpinionRecordSchema, parseRecord } from '@understudy/shared';
import { RecordingLog, SeededRandom, SimClock, SimKv } from '@understudy/shared/testing';
import { describe, expect, it } from 'vitest';
import type { Opinion } from '@understudy/observer';
import { OpinionPublisher } from './opinion-publisher.ts';
import { PresenceByHand } from './presence.fixtures.ts';

const KEYS = keyspace();
const MEMBER: MemberId = 'prod/db';

async function publishing() {
  const clock = new SimClock();
  const kv = new SimKv({ clock });
  const store = kv.client('c1');
  const leaseId = (await store.grantLease(600_000)).leaseId;
  const presence = new PresenceByHand(kv, KEYS.coordinator('c1'), leaseId);
  const publisher = new OpinionPublisher({
    ...{ store, keys: KEYS, presence, clock },
    random: new SeededRandom(1),
    log: new RecordingLog(),
    observer: { id: 'c1', az: 'a' },
  });
  const say = async (verdict: Opinion['verdict']) => {
    publisher.offer([
      {
        member: MEMBER,
        instanceId: 'i-1',
        verdict,
        reason: verdict === 'dead' ? 'Silent' : 'Heard',
        sinceMs: clock.monotonicMs(),
        lastHeardMs: null,
        service: null,
      },
    ]);
    await clock.runUntilSettled(publisher.flush());
  };
  const said = () => {
    const entry = kv.entries(KEYS.opinion(MEMBER, 'c1'))[0];
    return entry ? parseRecord(OpinionRecordSchema, entry.key, entry.value).verdict : null;
  };
  return { clock, store, publisher, say, said };
}

describe('an opinion whose transaction lands late', () => {
  it('does not cover a newer one: a stale `dead` stays away', async () => {
    const { clock, store, publisher, say, said } = await publishing();
    await say('alive');
    store.inject({ kind: 'landLate', operation: 'txn', delayMs: 5_000 });
    await say('dead');
    expect(said()).toBe('alive');
    await say('suspect');
    await say('alive');
    await clock.runUntilSettled(publisher.flush());
    expect([said(), publisher.pendingCount]).toEqual(['alive', 0]);
    await clock.advance(60_000);
    expect(store.fired.landLate).toBe(1);
    expect(said()).toBe('alive');
  });

  it('that lands before the newer one is written is overwritten by it', async () => {
    const { clock, store, publisher, say, said } = await publishing();
    await say('alive');
    store.inject({ kind: 'landLate', operation: 'txn', delayMs: 2_000 });
    await say('dead');
    await clock.advance(2_000);
    expect(said()).toBe('dead');
    await say('alive');
    await clock.runUntilSettled(publisher.flush());
    expect([said(), publisher.pendingCount]).toEqual(['alive', 0]);
  });

  it('of a member that is no longer watched does not come back', async () => {
    const { clock, store, publisher, say, said } = await publishing();
    await say('alive');
    store.inject({ kind: 'landLate', operation: 'txn', delayMs: 30_000 });
    await say('dead');
    publisher.forget([MEMBER]);
    for (let tick = 0; tick < 3; tick += 1) await clock.runUntilSettled(publisher.flush());
    expect(said()).toBeNull();
    await clock.advance(60_000);
    expect(said()).toBeNull();
  });
});
