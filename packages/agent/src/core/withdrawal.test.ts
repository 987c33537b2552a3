import { monotonicMs } from '@understudy/shared';
import { describe, expect, it } from 'vitest';
import { nextMove, type UnitSight, type WithdrawalFacts } from './withdrawal.ts';

const LIMITS = { stopMs: 10_000, killMs: 5_000 };
const TARGET = 'understudy-active.target';
const DB = 'db.service';

const unit = (name: string, changes: Partial<UnitSight> = {}): UnitSight => ({
  name,
  loaded: true,
  activeState: 'inactive',
  jobPending: false,
  tasks: 0,
  ...changes,
});

const begun: WithdrawalFacts = {
  beganAtMs: monotonicMs(1_000),
  asked: [TARGET, DB],
  stop: null,
  killedAtMs: null,
  lookedAtMs: null,
  sight: null,
};

const at = (facts: Partial<WithdrawalFacts>, nowMs: number) =>
  nextMove({ ...begun, ...facts }, LIMITS, monotonicMs(nowMs));
const seen = (atMs: number, units: readonly UnitSight[], alsoFound: readonly string[] = []) => ({
  lookedAtMs: monotonicMs(atMs),
  sight: { atMs: monotonicMs(atMs), units, alsoFound },
});
const stopped = (atMs: number, accepted = true) => ({ stop: { atMs: monotonicMs(atMs), accepted } });
const bothDown = [unit(TARGET), unit(DB)];
const dbUp = [unit(TARGET), unit(DB, { activeState: 'active' })];

describe('the next move of a withdrawal', () => {
  it('looks first, then stops what systemd knows', () => {
    expect(at({}, 1_000)).toEqual({ kind: 'look', units: [TARGET, DB] });
    const unknownDb = [unit(TARGET), unit(DB, { loaded: false })];
    expect(at(seen(1_000, unknownDb), 1_010)).toEqual({ kind: 'stop', units: [TARGET] });
    expect(at({ lookedAtMs: monotonicMs(1_000) }, 1_010)).toEqual({ kind: 'stop', units: [TARGET, DB] });
  });

  it.each([
    ['a look from before the stop', { ...stopped(1_020), ...seen(1_000, bothDown) }],
    ['a stop that was refused', { ...stopped(1_020, false), ...seen(1_030, bothDown) }],
    [
      'a pending job, which may be a start',
      { ...stopped(1_020), ...seen(1_030, [unit(TARGET), unit(DB, { jobPending: true })]) },
    ],
    [
      'a unit that is still going down',
      { ...stopped(1_020), ...seen(1_030, [unit(TARGET), unit(DB, { activeState: 'deactivating' })]) },
    ],
    [
      'a unit that waits for its restart',
      { ...stopped(1_020), ...seen(1_030, [unit(TARGET), unit(DB, { activeState: 'activating' })]) },
    ],
    [
      'a unit that runs although its file has vanished',
      { ...stopped(1_020), ...seen(1_030, [unit(TARGET), unit(DB, { loaded: false, activeState: 'active' })]) },
    ],
    [
      'a unit that is over and has left processes behind',
      { ...stopped(1_020), ...seen(1_030, [unit(TARGET), unit(DB, { activeState: 'failed', tasks: 2 })]) },
    ],
    [
      'a unit that hangs on the target and was not looked at',
      { ...stopped(1_020), ...seen(1_030, bothDown, ['web.service']) },
    ],
  ])('%s is no proof', (_name, facts) => {
    expect(at(facts, 1_040).kind).not.toBe('stopped');
  });

  it('is over when a later look sees everything down: inactive, failed, or unknown to systemd', () => {
    const units = [unit(TARGET), unit(DB, { activeState: 'failed' }), unit('x.service', { loaded: false })];
    expect(at({ ...stopped(1_020), ...seen(1_020, units) }, 1_030)).toEqual({ kind: 'stopped' });
  });

  it('looks again after a stop, and then every 300 ms', () => {
    expect(at({ ...stopped(1_020), ...seen(1_000, dbUp) }, 1_021)).toEqual({ kind: 'look', units: [TARGET, DB] });
    const waiting = {
      ...stopped(1_020),
      ...seen(1_030, [unit(DB, { activeState: 'deactivating', jobPending: true })]),
    };
    expect(at(waiting, 1_100)).toEqual({ kind: 'wait', untilMs: 1_330 });
    expect(at(waiting, 1_330).kind).toBe('look');
  });

  it('stops again, a second later, what was refused and what somebody cancelled', () => {
    expect(at({ ...stopped(1_020, false), ...seen(1_030, dbUp) }, 2_019).kind).not.toBe('stop');
    expect(at({ ...stopped(1_020, false), ...seen(1_030, dbUp) }, 2_020)).toEqual({
      kind: 'stop',
      units: [TARGET, DB],
    });
    expect(at({ ...stopped(1_020), ...seen(1_030, dbUp) }, 2_020)).toEqual({ kind: 'stop', units: [TARGET, DB] });
    const goingDown = [unit(TARGET), unit(DB, { activeState: 'deactivating', jobPending: true })];
    expect(at({ ...stopped(1_020), ...seen(1_030, goingDown) }, 2_020).kind).not.toBe('stop');
  });

  it('stops what came to light on the target', () => {
    const found = [...bothDown, unit('web.service', { activeState: 'active' })];
    expect(at({ ...stopped(1_020), ...seen(1_400, found) }, 2_020)).toEqual({
      kind: 'stop',
      units: [TARGET, DB, 'web.service'],
    });
  });

  it('kills at the end of the orderly time what is up, never the target, and again every second', () => {
    const stubborn = [
      unit(TARGET, { activeState: 'active', jobPending: true }),
      unit(DB, { activeState: 'deactivating', jobPending: true }),
    ];
    const facts = { ...stopped(1_020), ...seen(10_900, stubborn) };
    expect(at(facts, 10_999)).toEqual({ kind: 'wait', untilMs: 11_200 });
    expect(at(facts, 11_000)).toEqual({ kind: 'kill', units: [DB] });
    const killed = { ...facts, killedAtMs: monotonicMs(11_010) };
    expect(at(killed, 11_011).kind).toBe('look');
    expect(at({ ...killed, ...seen(11_900, stubborn) }, 12_009).kind).toBe('wait');
    expect(at({ ...killed, ...seen(11_900, stubborn) }, 12_010).kind).toBe('kill');
  });

  it('stops and kills what runs without its file, and kills what a unit left behind', () => {
    const orphan = unit(DB, { loaded: false, activeState: 'active' });
    expect(at(seen(1_000, [unit(TARGET), orphan]), 1_010)).toEqual({ kind: 'stop', units: [TARGET, DB] });
    for (const one of [orphan, unit(DB, { tasks: 1 }), unit(DB, { loaded: false, activeState: 'failed', tasks: 1 })])
      expect(at({ ...stopped(10_800), ...seen(10_900, [unit(TARGET), one]) }, 11_000)).toEqual({
        kind: 'kill',
        units: [DB],
      });
  });

  it('kills unseen what cannot be seen', () => {
    const blind = { ...stopped(10_800, false), lookedAtMs: monotonicMs(10_900) };
    expect(at(blind, 11_000)).toEqual({ kind: 'kill', units: [DB] });
  });

  it('is stuck when both times are over, and names what is up', () => {
    expect(at({ ...stopped(1_020), ...seen(15_900, dbUp) }, 16_000)).toEqual({ kind: 'stuck', units: [DB] });
    expect(at({ lookedAtMs: monotonicMs(15_900) }, 16_000)).toEqual({ kind: 'stuck', units: [] });
    expect(at({ ...stopped(1_020), ...seen(15_900, bothDown) }, 16_000)).toEqual({ kind: 'stopped' });
  });
});
