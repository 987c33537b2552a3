import type { WallMs } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { decide, keptAfter, type Look, NOTHING_KEPT, type WatchSettings } from './decide.ts';

const at = (ms: number) => ms as WallMs;
const SETTINGS: WatchSettings = { silentForMs: 180_000, repeatEveryMs: 3_600_000, plannedUntilWallMs: null };
const look = (isReady: boolean): Look => ({ coordinator: 'https://c1:8443', isReady, text: '' });
const [SILENT, READY] = [look(false), look(true)];
const seen = (looks: readonly Look[], silentForMs = 0, nowWallMs = 0) => ({
  looks,
  silentForMs,
  nowWallMs: at(nowWallMs),
});

describe('the watchman', () => {
  test('ends a run as soon as one of many does its work', () => {
    expect(decide(NOTHING_KEPT, seen([SILENT, READY, SILENT], 170_000), SETTINGS)).toEqual({
      kind: 'end',
      why: 'heard',
    });
  });

  test('looks again until all have been silent for long enough, and then raises the alarm', () => {
    expect(decide(NOTHING_KEPT, seen([SILENT, SILENT], 179_999), SETTINGS).kind).toBe('look-again');
    expect(decide(NOTHING_KEPT, seen([SILENT, SILENT], 180_000), SETTINGS).kind).toBe('alarm');
  });

  test('is silent while silence is planned, and not a moment longer', () => {
    const planned = { ...SETTINGS, plannedUntilWallMs: at(1_000) };
    expect(decide(NOTHING_KEPT, seen([SILENT], 180_000, 999), planned)).toEqual({ kind: 'end', why: 'planned' });
    expect(decide(NOTHING_KEPT, seen([SILENT], 180_000, 1_000), planned).kind).toBe('alarm');
  });

  test('repeats an alarm that still holds after its time, and not before', () => {
    const told = keptAfter(NOTHING_KEPT, { kind: 'alarm' }, at(0));
    expect(decide(told, seen([SILENT], 180_000, 3_599_999), SETTINGS)).toEqual({ kind: 'end', why: 'told' });
    expect(decide(told, seen([SILENT], 180_000, 3_600_000), SETTINGS).kind).toBe('alarm');
  });

  test('tells the end of a silence once', () => {
    const told = keptAfter(NOTHING_KEPT, { kind: 'alarm' }, at(0));
    const decision = decide(told, seen([READY]), SETTINGS);
    expect(decision.kind).toBe('all-clear');
    expect(decide(keptAfter(told, decision, at(1)), seen([READY]), SETTINGS)).toEqual({ kind: 'end', why: 'heard' });
  });

  test('that has forgotten its alarm raises it once more: a lost memory hides nothing', () => {
    expect(decide(NOTHING_KEPT, seen([SILENT], 180_000, 1), SETTINGS).kind).toBe('alarm');
  });
});
