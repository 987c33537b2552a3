import {
  type PlanForecast,
  permissionCounts,
  type PlanSummary,
  type PlanView,
  type RungReadiness,
} from '@understudy/shared';
import { describe, expect, it } from 'vitest';
import { plansText, planText } from './plan-view.ts';

const forecast = (typicalMs: number): PlanForecast => ({
  ...{ servesAfter: { typicalMs, slowMs: 2 * typicalMs }, closedAfter: { typicalMs, slowMs: typicalMs } },
  ...{ losesSinceWallMs: null, undo: 'not needed' },
});

const VIEW: PlanView = {
  ...{ member: 'db/one', opId: 'op-1', instanceId: 'i-1', verdict: 'alive', reason: 'it is heard', wouldBegin: false },
  ...{ gates: [], token: 'abc', lines: [], losses: [], problems: [], notices: [], expectedMs: null, volumes: [] },
  supposes: { kind: 'silent', text: 'as if it fell silent now' },
  strategy: { name: 'stop-start', why: 'its disks are fine' },
  rungs: [
    { rung: 'reboot', said: 'skipped', why: 'nothing of it answers', deadlineMs: 300_000, proof: 'x', next: null },
    {
      ...{ rung: 'stop-start', said: 'taken', why: 'its disks are fine', deadlineMs: 300_000 },
      ...{ proof: 'a later boot is heard', next: 'snapshot-and-replace' },
    },
    {
      ...{ rung: 'snapshot-and-replace', said: 'later', why: 'taken when stop-start does not bring it back' },
      ...{ deadlineMs: null, proof: 'another instance is activated', next: null },
    },
  ],
  steps: [
    {
      ...{ id: 'fence', needs: [], onFailure: false, takes: null, basis: null },
      calls: (['allowed', 'cannot-be-asked'] as const).map((word) => ({
        ...{ action: word === 'allowed' ? 'StopInstances' : 'TerminateInstances', parameters: {}, when: null },
        permission: { word, text: '', askedAtWallMs: null },
      })),
    },
  ],
  ...{ candidates: [], forecast: null },
};

describe('the plan of a member', () => {
  const text = planText(VIEW, false);

  it('says what it supposes, and every way with condition, deadline, proof and the next one', () => {
    expect(text).toContain('the plan: as if it fell silent now');
    expect(text).toContain('  reboot (left out): nothing of it answers');
    expect(text).toContain(
      '  stop-start (it begins here): its disks are fine; given 5 min 0 s; it has helped when a later boot is heard; if not: snapshot-and-replace',
    );
    expect(text).toContain('without a limit; it has helped when another instance is activated; if not: a person');
  });

  it('counts the permissions by name, those that cannot be asked too', () =>
    expect(text).toContain('permissions: 1 allowed, 0 denied; 1 cannot be asked beforehand: TerminateInstances'));

  it('names the way with its token only where the plan was made for one', () => {
    expect(text).toContain('run it: understudy recover db/one --plan abc');
    const asked = planText({ ...VIEW, supposes: { kind: 'asked', text: 'by stop-start' } }, false);
    expect(asked).toContain('run it: understudy recover db/one --strategy stop-start --plan abc');
  });
});

describe('the plans of all members', () => {
  const rung = (name: string, typicalMs: number, over: Partial<RungReadiness> = {}): RungReadiness => ({
    ...{ rung: name, said: 'later', why: '', problems: [], losses: [], forecast: forecast(typicalMs) },
    ...{ permissions: permissionCounts([]), ...over },
  });
  const summary = (over: Partial<PlanSummary> = {}): PlanSummary => ({
    ...{
      member: 'db/one',
      instanceId: 'i-1',
      lookedAtWallMs: 1,
      strategy: 'stop-start',
      worst: 'snapshot-and-replace',
    },
    rungs: [rung('stop-start', 40_000), rung('snapshot-and-replace', 300_000)],
    ...{ candidates: [], losses: [], problems: [], forecast: forecast(40_000) },
    permissions: { allowed: 7, unknown: 0, denied: [], refused: [], cannotBeAsked: ['AttachVolume', 'AttachVolume'] },
    ...over,
  });
  const shown = (...plans: PlanSummary[]) => plansText({ plans, notLookedAt: [] });

  it('say how each begins and the longest way, and that EC2 was not asked about everything', () => {
    const text = shown(summary(), summary({ member: 'db/two' }));
    expect(text).toContain('stop-start, at worst snapshot-and-replace');
    expect(text).toContain('7 allowed, 0 denied; 2 cannot be asked beforehand');
    expect(text).toContain('ready as far as EC2 was asked');
    expect(text).toContain('cannot be asked beforehand (of how many members): AttachVolume (2)');
  });

  it('say ready alone only where every call is allowed, and which way cannot be planned', () => {
    const permissions = permissionCounts([{ action: 'StopInstances', permission: { word: 'allowed' } }]);
    expect(shown(summary({ permissions }))).toMatch(/ready\s*$/);
    const blocked = rung('reattach', 1, { problems: [{ code: 'SeedImageUnknown', text: 'no image' }] });
    expect(shown(summary({ permissions, rungs: [blocked] }))).toContain('ready; not by reattach (SeedImageUnknown)');
  });
});
