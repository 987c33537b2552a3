import type { DnsRecords, DnsRecordSet, GroupPolicy } from '@understudy/shared';
import { silentLog } from '@understudy/shared';
import { SimClock } from '@understudy/shared/testing';
import { describe, expect, it } from 'vitest';
import { NameLooks } from './name-looks.ts';

const IDENTITY = {
  dns: { zones: [{ zoneId: 'Z1' }] },
  targetGroups: { groups: [] },
} as unknown as GroupPolicy['identity'];
const RECORD = { name: 'db.', type: 'A' } as unknown as DnsRecordSet;

/** A zone that answers when it is told to. */
function setUp() {
  const clock = new SimClock();
  const waiting: ((records: readonly DnsRecordSet[]) => void)[] = [];
  const dns = {
    describeZone: () => new Promise<readonly DnsRecordSet[]>((resolve) => waiting.push(resolve)),
  } as unknown as DnsRecords;
  const looks = new NameLooks({ dns, targetGroups: null, clock, log: silentLog });
  const look = async () => {
    const startedAtMs = clock.monotonicMs();
    const found = await clock.runUntilSettled(looks.look(IDENTITY));
    return { found, tookMs: clock.monotonicMs() - startedAtMs };
  };
  return { clock, waiting, looks, look };
}

describe('a look at what names members', () => {
  it('that does not come keeps no recovery waiting for more than a minute, and is told as unread', async () => {
    const { look } = setUp();
    const { found, tookMs } = await look();
    expect(found).toMatchObject({ records: [], unread: [{ code: 'RecordsUnread', text: /within 60 s/ }] });
    expect(tookMs).toBe(60_000);
  });

  it('takes what was known after five seconds; what comes later is known to the next', async () => {
    const { clock, waiting, looks, look } = setUp();
    const first = looks.look(IDENTITY);
    waiting[0]?.([RECORD]);
    expect((await first).records).toHaveLength(1);
    await clock.advance(60_001);
    const { found, tookMs } = await look();
    expect([found.records.length, found.unread, tookMs]).toEqual([1, [], 5_000]);
    waiting[1]?.([RECORD, RECORD]);
    await clock.advance(1);
    expect((await look()).found.records).toHaveLength(2);
    expect(waiting).toHaveLength(2);
  });
});
