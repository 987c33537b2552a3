import { instanceSight } from '@understudy/recovery';
import { DEFAULT_LADDER } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { DB1, handBack, HOUR_MS, MINUTE_MS, papersOf, printed, recovered, staged } from './handback-scene.ts';
import { ask, undo } from './undo-staged.ts';

const fates = (view: Awaited<ReturnType<typeof handBack>>) =>
  view.resources.map(({ kind, fate, place }) => `${kind} ${place ?? ''} ${fate}`.replaceAll(/ +/g, ' '));

const golden = (name: string) => `handback/${name}.txt`;

describe('a hand-back after', () => {
  test('snapshots: the instance, its disks and its interface are others, the address has moved', async () => {
    const scene = await staged();
    const present = await recovered(scene);
    const view = await handBack(scene);
    expect(view).toMatchObject({ isDue: true, seenIn: 'ec2' });
    expect(view.resources[0]).toMatchObject({ was: scene.old.instanceId, is: present, fate: 'replaced' });
    expect(view.resources[0]?.madeBy).toEqual({ stack: 'orders', logicalId: 'Db' });
    expect(fates(view)).toMatchInlineSnapshot(`
      [
        "instance replaced",
        "volume /dev/xvda replaced",
        "volume /dev/sdf replaced",
        "interface 0 replaced",
        "address 203.0.113.1 moved",
      ]
    `);
    expect(Object.keys(view.lostTags)).toContain('aws:cloudformation:stack-name');
    await expect(printed('cloudformation', view)).toMatchFileSnapshot(golden('snapshots-cloudformation'));
    await expect(printed('terraform', view, scene.state)).toMatchFileSnapshot(golden('snapshots-terraform'));
  });

  test('reattach: the disks are the same, on another instance', async () => {
    const scene = await staged({ recover: { strategy: 'reattach' } });
    await recovered(scene);
    const view = await handBack(scene);
    expect(fates(view)).toMatchInlineSnapshot(`
      [
        "instance replaced",
        "volume /dev/xvda moved",
        "volume /dev/sdf moved",
        "interface 0 replaced",
        "address 203.0.113.1 moved",
      ]
    `);
    await expect(printed('cloudformation', view)).toMatchFileSnapshot(golden('reattach-cloudformation'));
    await expect(printed('terraform', view, scene.state)).toMatchFileSnapshot(golden('reattach-terraform'));
  });

  test.each(['reboot', 'stop-start'] as const)('%s: nothing is to be done', async (rung) => {
    const scene = await staged({
      recover: { ladder: { ...DEFAULT_LADDER, rungs: [rung] } },
    });
    await recovered(scene);
    const view = await handBack(scene);
    expect(view).toMatchObject({ isDue: false, drift: [], lostTags: {} });
    expect(view.notes.map(({ code }) => code)).toEqual(['NothingToHandBack']);
    for (const tool of ['cloudformation', 'terraform'])
      expect(papersOf(tool, view, scene.state)).toEqual({ notes: [], steps: [], files: [] });
  });

  test('an undo: the first instance serves again, and nothing is to be done about both together', async () => {
    const scene = await staged();
    const { world, old } = scene;
    const present = await recovered(scene);
    await ask({ world, old: old.instanceId, present }, undo(HOUR_MS));
    await world.until('undone', () => world.history(DB1).some((one) => one.outcome === 'undone'), HOUR_MS);
    await world.clock.advance(MINUTE_MS);
    const [first] = world.history(DB1).toSorted((a, b) => a.endedAtWallMs - b.endedAtWallMs);
    const both = await handBack(scene, first?.opId ?? '');
    expect(both).toMatchObject({ isDue: false, recoveries: [{ outcome: 'replaced' }, { outcome: 'undone' }] });
    const last = await handBack(scene);
    expect(last.resources[0]).toMatchObject({ was: present, is: old.instanceId, fate: 'replaced' });
    expect(last.earlier).toEqual([{ opId: first?.opId, was: old.instanceId }]);
    expect(last.notes.map(({ code }) => code)).toContain('EarlierRecoveries');
  });

  test('two recoveries that nobody handed back: from the first instance to the last', async () => {
    const scene = await staged({ guard: { cooldownMs: 0, flapLimit: 9 } });
    await recovered(scene);
    await scene.world.clock.advance(HOUR_MS / 6);
    const last = await recovered(scene);
    const [first] = scene.world.history(DB1).toSorted((a, b) => a.endedAtWallMs - b.endedAtWallMs);
    expect(scene.world.history(DB1)).toHaveLength(2);
    const chain = await handBack(scene, first?.opId ?? '');
    expect(chain.resources[0]).toMatchObject({ was: scene.old.instanceId, is: last, fate: 'replaced' });
    await expect(printed('terraform', chain, scene.state)).toMatchFileSnapshot(golden('twice-terraform'));
    const only = await handBack(scene);
    expect(only.resources[0]?.was).not.toBe(scene.old.instanceId);
    expect(papersOf('terraform', only, scene.state)).toEqual({
      ...{ steps: [], files: [] },
      notes: [expect.stringContaining(`--from-recovery ${first?.opId ?? ''}`)],
    });
  });

  test('the old instance is gone: records and an inventory still tell', async () => {
    const scene = await staged();
    const { world, old } = scene;
    const seen = world.sim.seed('DescribeInstances', { InstanceIds: [old.instanceId] }) as {
      Reservations: { Instances: Record<string, unknown>[] }[];
    };
    const before = instanceSight(seen.Reservations[0]?.Instances[0] ?? {});
    await recovered(scene);
    world.sim.seed('TerminateInstances', { InstanceIds: [old.instanceId] });
    await world.clock.advance(2 * MINUTE_MS);
    const blind = await handBack(scene);
    expect(blind).toMatchObject({ seenIn: 'nowhere', isDue: true, drift: [] });
    expect(blind.notes.map(({ code }) => code)).toContain('PredecessorNotSeen');
    expect(papersOf('cloudformation', blind).files).toEqual([]);
    const known = await handBack(scene, null, before);
    expect(known).toMatchObject({
      seenIn: 'inventory',
      resources: [{ madeBy: { stack: 'orders', logicalId: 'Db' } }, {}, {}, {}, {}],
    });
    expect(known.drift.map(({ property }) => property)).toContain('ImageId');
    expect(papersOf('cloudformation', known).files.length).toBeGreaterThan(0);
  });
});
