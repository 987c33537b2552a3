import { keyspace, type MemberId, monotonicMs, OpinionRecordSchema, parseRecord } from '@understudy/shared';
import { RecordingLog, SeededRandom, SimClock, SimKv } from '@understudy/shared/testing';
import type { Opinion } from '@understudy/observer';
import { OpinionPublisher } from './opinion-publisher.ts';
import { PresenceByHand } from './presence.fixtures.ts';

export const keys = keyspace('/t/');
export const opinion = (member: MemberId, verdict: Opinion['verdict'], change: Partial<Opinion> = {}): Opinion => ({
  member,
  instanceId: 'i-1',
  verdict,
  reason: verdict === 'alive' ? 'Heard' : 'Silent',
  sinceMs: monotonicMs(0),
  lastHeardMs: monotonicMs(0),
  service: null,
  ...change,
});

/** A publisher over a simulated etcd, with a presence that the test gives and takes. */
export async function setUp() {
  const clock = new SimClock();
  const kv = new SimKv({ clock });
  const store = kv.client('c1');
  const presence = new PresenceByHand(kv, keys.coordinator('c1'), (await store.grantLease(10_000)).leaseId);
  const log = new RecordingLog();
  const publisher = new OpinionPublisher({
    store,
    keys,
    presence,
    clock,
    random: new SeededRandom(1),
    log,
    observer: { id: 'c1', az: 'us-east-1a' },
  });
  const flush = () => clock.runUntilSettled(publisher.flush());
  const stored = async () => {
    const { entries } = await clock.runUntilSettled(kv.client('reader').range(keys.opinions));
    return entries.map((entry) => ({ entry, record: parseRecord(OpinionRecordSchema, entry.key, entry.value) }));
  };
  return { clock, kv, store, presence, log, publisher, flush, stored };
}
