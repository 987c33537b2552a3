import { describe, expect, it, test } from 'vitest';
import { type MemberId, REQUEST_KINDS } from '@understudy/shared';
import { wrongCounts } from '../../faults/audit/counts.ts';
import { servingTwice } from '../../faults/audit/invariants.ts';
import type { SeenRecovery } from '../../faults/audit/recorder.ts';
import { readCommandLine } from '../../faults/command-line.ts';
import { lineOf, tableOf } from '../../faults/report.ts';
import { SCENARIOS } from '../../faults/scenarios/index.ts';

describe('the table of scenarios', () => {
  it('has unique names that fit on a command line', () => {
    const names = SCENARIOS.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(name).toMatch(/^[a-z0-9.-]+$/);
  });

  it('has operators ask for everything that can be asked', () => {
    const asked = SCENARIOS.flatMap(({ name }) => /^operator-(.+)$/.exec(name)?.[1] ?? []).join(' ');
    for (const kind of REQUEST_KINDS) expect(asked).toContain(kind);
  });

  it('strikes the leader at every step of a recovery', () => {
    const killed = SCENARIOS.flatMap(({ name }) => /^leader-killed-at-(.+)$/.exec(name)?.[1] ?? []);
    const steps = ['fence', 'capture', 'image', 'permit', 'launch', 'verify', 'revoke', 'activate', 'address', 'done'];
    expect(killed.toSorted()).toEqual(['intent', ...steps].toSorted());
  });
});

describe('the command line', () => {
  const namesFor = (...args: string[]) => {
    const command = readCommandLine(args, SCENARIOS);
    return typeof command === 'string' ? command : command.scenarios.map(({ name }) => name);
  };

  it('chooses by parts of names, or exactly', () => {
    expect(namesFor()).toHaveLength(SCENARIOS.length);
    expect(namesFor('--only', 'zone-cut', '--only', 'clock-agent')).toEqual([
      'zone-cut',
      'clock-agent-forward',
      'clock-agent-backward',
    ]);
    expect(namesFor('--exactly', 'etcd-cut')).toEqual(['etcd-cut']);
  });

  test.each([
    [['--only', 'nonsense'], 'no scenario is called nonsense'],
    [['--fast'], "Unknown option '--fast'"],
  ])('%s is refused', (args, why) => {
    expect(namesFor(...args)).toContain(why);
  });
});

describe('recoveries are counted', () => {
  const DB = 'lab/orders' as MemberId;
  const seen = (opId: string, outcome: SeenRecovery['outcome']): SeenRecovery => {
    return {
      opId,
      member: DB,
      oldInstanceId: 'i-1',
      outcome,
      fencedRevision: 1,
      fencedByLease: false,
      hasSeed: false,
      launchRevision: 2,
    };
  };
  const replaced = { replaced: [DB] };
  const both = { replaced: [DB], abandoned: [DB] };

  it.each([
    ['replaced once', [seen('op-1', 'replaced')], 1, replaced, []],
    ['abandoned, then replaced', [seen('op-1', 'abandoned'), seen('op-2', 'replaced')], 1, both, []],
    ['abandoned by nobody', [seen('op-1', 'abandoned'), seen('op-2', 'replaced')], 1, replaced, ['were abandoned']],
    ['not abandoned though asked', [seen('op-1', 'replaced')], 1, both, ['were abandoned']],
    ['replaced twice', [seen('op-1', 'replaced'), seen('op-2', 'replaced')], 2, replaced, ['2 times, not once']],
    ['an incarnation too many', [seen('op-1', 'replaced')], 2, replaced, ['2 new incarnations']],
    [
      'an incarnation of an abandoned one',
      [seen('op-1', 'abandoned')],
      1,
      { replaced: [], abandoned: [DB] },
      ['1 new'],
    ],
  ])('%s', (_, fresh, grown, expected, wrong) => {
    const found = wrongCounts(DB, fresh, grown, expected);
    expect(found).toHaveLength(wrong.length);
    for (const [index, text] of wrong.entries()) expect(found[index]).toContain(text);
  });
});

describe('I2, one serving instance per member', () => {
  const serving = (instanceId: string, fromS: number, toS: number, member = 'lab-orders') => {
    return { member, instanceId, fromS, toS };
  };

  it('is kept when one begins after the other has ended, within the grain of the clock', () => {
    expect(servingTwice([serving('i-1', 10, 20.01), serving('i-2', 20, 30), serving('i-3', 12, 15, 'other')])).toEqual(
      [],
    );
    expect(servingTwice([serving('i-1', 10, 20), serving('i-1', 15, 30)])).toEqual([]);
  });

  it('is broken when two overlap', () => {
    expect(servingTwice([serving('i-1', 10, 20), serving('i-2', 19.5, 30)])).toEqual([
      'I2: i-1 and i-2 both served lab-orders for 0.50 s',
    ]);
  });
});

test('a report says what struck, what came of it and how many failed', () => {
  const report = {
    name: 'zone-cut',
    verdict: 'failed',
    evidence: 'in 5',
    outcome: 'two leaders',
    tookMs: 1_234,
  } as const;
  expect(lineOf(report)).toBe('✗ zone-cut: in 5 → two leaders [1.2 s]');
  expect(tableOf([report, { ...report, name: 'loss', verdict: 'ok' }])).toContain('1 ok, 1 failed, 0 skipped');
});
