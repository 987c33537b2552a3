import { expect, test } from 'vitest';
import type { World } from './cluster/world.ts';
import type { Fault } from './faults/fault.ts';
import { failureOf } from './report.ts';
import { simulate } from './simulation.ts';

const LONG_MS = 1_400_000;
const crash: Fault = { id: 'crash', kind: 'guest-crash', when: { atMs: 45_000 }, forMs: 0, member: 'm1' };
/** Whatever comes up is heard by nobody. */
const cutOff: Fault = { id: 'cut', kind: 'machine-cut-off', when: { atMs: 44_000 }, forMs: LONG_MS, member: 'm1' };
const spoiled: Fault = {
  ...{ id: 'spoil', kind: 'spoiled-replacement', when: { atMs: 40_000 }, forMs: 600_000 },
  count: 3,
};
const abandon: Fault = {
  ...{ id: 'abandon', kind: 'operator-commands', when: { stage: 'launch', nth: 1, afterMs: 200 }, forMs: 120_000 },
  ...{ member: 'm1', command: 'abandon' },
};

/** Suspect for some seconds, and well again. */
const nap: Fault = { id: 'nap', kind: 'machine-pause', when: { atMs: 45_000 }, forMs: 14_000, member: 'm1' };

/** What is made for a suspect becomes its replacement, or is gone in the end. */
test.each<[World['way'], readonly string[], readonly Fault[]]>([
  ['reattach', ['preparation taken over: seed', 'reattach replaced'], [crash]],
  ['reattach', ['preparation dropped'], [nap]],
])('made while suspect, %s: %s', async (way, wanted, faults) => {
  const shape = { seed: 1, days: 0.01, members: 2, coordinators: 3, way, makes: true };
  const result = await simulate({ ...shape, faults: [faults] });
  expect(result.violations, result.violations.length > 0 ? failureOf(result) : '').toEqual([]);
  const did = result.tally.did();
  expect(did['preparation begun']).toBe(1);
  expect(wanted.filter((what) => (did[what] ?? 0) === 0)).toEqual([]);
});

/** Outcomes that seeds show seldom. Each run ends with its members well, or visibly held. */
test.each<[World['way'], readonly string[], readonly Fault[]]>([
  ['patient', ['reboot not-mended', 'stop-start not-mended'], [crash, cutOff]],
  ['reattach', ['reattach not-mended', 'snapshot-and-replace replaced'], [crash, spoiled]],
  ['reattach', ['reattach abandoned'], [crash, abandon]],
  ['snapshots', ['snapshot-and-replace abandoned'], [crash, abandon]],
])('%s: %s', async (way, wanted, faults) => {
  const result = await simulate({ seed: 1, days: 0.01, members: 2, coordinators: 3, way, faults: [faults] });
  expect(result.violations, result.violations.length > 0 ? failureOf(result) : '').toEqual([]);
  const did = result.tally.did();
  expect(wanted.filter((what) => (did[what] ?? 0) === 0)).toEqual([]);
});
