import { describe, expect, it } from 'vitest';
import { caseNames } from './recorded-cases.fixtures.ts';

const KNOWN = new Set(
  (['assess', 'guard'] as const).flatMap((kind) => [...caseNames(kind)].map((name) => `${kind}/${name}`)),
);

/**
 * What users of comparable systems complain about in judging, and the recorded cases
 * (`test/fixtures/`) that show what we do instead. Each case names its incident in `source`.
 * `assess-fixtures.test.ts` and `guard-fixtures.test.ts` check what it expects.
 */
const CONTROL_PLANE: Readonly<Record<string, readonly string[]>> = {
  'the monitor is a single point of failure': [
    'assess/one-of-two-required',
    'assess/single-observer-cluster',
    'assess/leader-dies-with-victims-zone',
  ],
  'restarting the monitor fires mass alarms': [
    'assess/monitor-restart',
    'assess/warming-up',
    'assess/etcd-restart-warms-up',
  ],
  'losing the store takes healthy nodes down': [
    'assess/etcd-loss-takes-all-opinions',
    'guard/leader-lost-sight-of-etcd',
  ],
  'the leader dies with its victim, and its own cooldown blocks the failover': [
    'assess/guard-leader-died-with-its-victim',
    'assess/leader-dies-with-victims-zone',
    'guard/cooldown-of-others',
  ],
  'a change of leader loses what was decided': [
    'assess/leader-change-keeps-pauses',
    'assess/leader-change-mid-silence',
    'assess/leader-change-asks-ec2-again',
    'guard/budget-of-the-predecessor',
  ],
  'two leaders after the store restarted': [
    'assess/guard-own-view-not-fresh',
    'assess/guard-open-recovery-of-another-leader',
    'guard/leader-lost-sight-of-etcd',
  ],
};

const FALSE_POSITIVES: Readonly<Record<string, readonly string[]>> = {
  'a percentage blocks small fleets for hours': [
    'assess/guard-two-of-four',
    'assess/guard-two-of-four-one-recovered',
    'assess/guard-three-of-four',
    'guard/two-of-four',
    'guard/three-of-four',
  ],
  'a wrong health signal kills a healthy fleet': [
    'assess/impaired-but-heard',
    'assess/status-stale',
    'assess/checks-not-timed',
    'guard/wrong-check-fails-everywhere',
  ],
  'what was replaced is replaced again, endlessly': [
    'assess/guard-cooldown-of-its-own',
    'assess/guard-flapping',
    'assess/rebooted-by-stop-and-start',
    'guard/flapping',
    'guard/boot-grace',
  ],
  'replacing makes the outage of a zone worse': [
    'assess/zonal-partition',
    'assess/guard-zone-lost',
    'guard/zone-lost',
    'guard/zone-half-lost',
    'guard/zone-lost-and-one-elsewhere',
  ],
  'small starved instances flap': ['assess/starved-instance-still-confirming'],
  'one sick node accuses everyone': [
    'assess/sick-observer-abstains',
    'assess/guard-one-sick-observer-accuses',
    'guard/leader-is-the-sick-one',
  ],
  'the word of a single peer is enough': [
    'assess/single-accuser',
    'assess/single-accuser-alone',
    'guard/one-observer-left',
  ],
  'some want to wait for fifteen to twenty seconds': ['assess/debounce-of-twenty-seconds', 'assess/degraded-not-yet'],
  'others want to be done within twenty': ['assess/dead-within-nine-seconds'],
};

describe.each([
  ['the control plane', CONTROL_PLANE, 6],
  ['false positives', FALSE_POSITIVES, 9],
] as const)('complaints about %s', (_, rows, count) => {
  it('are all here', () => {
    expect(Object.keys(rows)).toHaveLength(count);
  });

  it.each(Object.entries(rows))('%s: %s', (_row, cases) => {
    expect(cases.length).toBeGreaterThan(0);
    expect(cases.filter((name) => !KNOWN.has(name))).toEqual([]);
  });
});
