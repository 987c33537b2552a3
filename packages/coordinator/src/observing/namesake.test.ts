import type { CoordinatorRecord } from '@understudy/shared';
import { RecordingLog, SimClock } from '@understudy/shared/testing';
import { describe, expect, it } from 'vitest';
import { Namesake } from './namesake.ts';

const record = (processId: string): CoordinatorRecord => ({
  ...{ schemaVersion: 1, writeId: 'w', writtenBy: 'c1', writtenAtWallMs: 0, coordinatorId: 'c1', az: 'a' },
  ...{ udpEndpoint: `${processId}:7946`, httpUrl: `http://${processId}`, startedAtWallMs: 0, version: 'test' },
  ...{ processId, answersHoldMs: 20_000, featureLevel: 1 },
});

function scene() {
  const clock = new SimClock();
  const log = new RecordingLog();
  const namesake = new Namesake({ key: '/c1', coordinatorId: 'c1', leaseTtlMs: 10_000, clock, log });
  const text = () => namesake.problem()?.text ?? null;
  return { clock, log, namesake, text };
}

describe('another process with our id', () => {
  it('may be ourselves before a restart, for as long as a lease outlives its process: 12 s', async () => {
    const { clock, log, namesake, text } = scene();
    namesake.tell();
    expect(text()).toBeNull();
    namesake.found(record('p1'));
    expect(text()).toContain('p1:7946');
    await clock.advance(12_000);
    namesake.found(record('p1'));
    namesake.tell();
    expect(text()).toContain('if that was coordinator "c1" before a restart, its lease ends within 12.0 s');
    expect(log.events()).toEqual(['presence.waiting']);
    await clock.advance(1);
    namesake.tell();
    expect(text()).not.toContain('ends within');
    expect(log.linesOf('presence.duplicate').map(({ level }) => level)).toEqual(['error']);
  });

  it('that is followed by a third one begins anew: it may have been restarted', async () => {
    const { clock, namesake, text, log } = scene();
    namesake.found(record('p1'));
    await clock.advance(13_000);
    namesake.found(record('p2'));
    expect(text()).toContain('p2:7946');
    expect(text()).toContain('ends within');
    expect(log.linesOf('presence.waiting')).toHaveLength(2);
  });

  it('whose record cannot be read is told as such, once', async () => {
    const { clock, namesake, text, log } = scene();
    namesake.found(null);
    await clock.advance(1_000);
    namesake.found(null);
    expect(text()).toContain('a record that cannot be read');
    expect(log.linesOf('presence.waiting')).toHaveLength(1);
  });

  it('that is gone is a problem no more, and that is told once', async () => {
    const { clock, namesake, text, log } = scene();
    namesake.gone();
    expect(log.lines).toEqual([]);
    namesake.found(record('p1'));
    await clock.advance(13_000);
    namesake.tell();
    namesake.gone();
    namesake.gone();
    expect([text(), log.events()]).toEqual([
      null,
      ['presence.waiting', 'presence.duplicate', 'presence.taken_over', 'presence.duplicate.over'],
    ]);
  });
});
