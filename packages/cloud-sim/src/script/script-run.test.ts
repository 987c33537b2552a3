import { silentLog } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { launch, stateOf, subnetOf, testRegion } from '../core/region.fixtures.ts';
import { seedInstance } from '../seed-instance.ts';
import { ScriptRun } from './script-run.ts';
import { ScriptSchema, type WrittenScript } from './script-schema.ts';

function scripted(steps: WrittenScript['steps'], speed = 1) {
  const one = testRegion({ speed });
  const run = new ScriptRun(one.sim, silentLog);
  return { one, run, start: () => run.start({ name: 'test', steps }) };
}

describe('a script', () => {
  test('does each step at its moment, divided by the speed', async () => {
    const zone = { az: 'us-east-1a', change: { fail: 'power' } } as const;
    const { one, run, start } = scripted(
      [
        { at: 10_000, do: { zone } },
        { at: '60s', do: { zone: { az: 'us-east-1a', change: { heal: 'come-back' } } } },
      ],
      10,
    );
    start();
    await one.clock.advance(999);
    expect(run.states().map(({ state }) => state)).toEqual(['waiting', 'waiting']);
    await one.clock.advance(2);
    expect(one.sim.core.region.failedZones.has('us-east-1a')).toBe(true);
    await one.clock.advance(5_000);
    expect(run.states().map(({ state, atMs }) => [state, atMs])).toEqual([
      ['done', 1_000],
      ['done', 6_000],
    ]);
    expect(one.sim.core.region.failedZones.size).toBe(0);
  });

  test('waits for the nth call of its kind with its outcome', async () => {
    const stale = { id: 'stale', action: 'DescribeInstances', kind: 'stale-read' } as const;
    const { one, run, start } = scripted([
      { after: { action: 'RunInstances', outcome: 'ok', nth: 2 }, delay: 500, do: { fault: stale } },
    ]);
    start();
    await launch(one, { SubnetId: subnetOf(one, 'a') });
    await one.refused('RunInstances', { ImageId: 'ami-1', MinCount: 1, MaxCount: 1 });
    await one.clock.advance(10_000);
    expect(run.states()[0]?.state).toBe('waiting');
    await launch(one, { SubnetId: subnetOf(one, 'a') });
    await one.clock.advance(2_000);
    expect(run.states()[0]?.state).toBe('done');
    await one.ok('DescribeInstances', { MaxResults: 5 });
    expect(one.sim.fired('stale')).toBe(1);
  });

  test('finds an instance by its tags in the moment of the step, and says when there is none', async () => {
    const member = { tags: { 'understudy:group': 'db', 'understudy:member': 'one' } };
    const { one, run, start } = scripted([
      { at: 1_000, do: { failHost: member, recoverAfterMs: 60_000 } },
      { at: 2_000, do: { crash: { tags: { 'understudy:member': 'nobody' } } } },
    ]);
    const db = seedInstance(one.sim, { member: 'db/one' });
    start();
    await one.clock.advance(70_000);
    expect(run.states().map(({ state }) => state)).toEqual(['done', 'missed']);
    expect(stateOf(one, db.instanceId)).toBe('running');
    expect(one.sim.core.region.instances.get(db.instanceId)?.crashedAtMs).toBeNull();
  });

  test('takes the place of the one before it', async () => {
    const { one, run, start } = scripted([{ at: 1_000, do: { quotas: { instances: 0 } } }]);
    start();
    run.start({ name: 'other', steps: [{ at: 5_000, do: { clearFault: 'none' } }] });
    await one.clock.advance(10_000);
    expect([run.name, run.states()[0]?.state, one.sim.core.region.quotas.instances]).toEqual([
      'other',
      'missed',
      20_000,
    ]);
  });
});

test.each([
  ['neither a moment nor a call', [{ do: { clearFault: 'x' } }]],
  ['both', [{ at: 1, after: { action: 'RunInstances' }, do: { clearFault: 'x' } }]],
  ['an unknown deed', [{ at: 1, do: { burn: 'x' } }]],
  ['an unknown kind of fault', [{ at: 1, do: { fault: { id: 'a', action: '*', kind: 'magic' } } }]],
  ['no step', []],
])('a script with %s is refused', (_why, steps) => {
  expect(ScriptSchema.safeParse({ name: 'x', steps }).success).toBe(false);
});
