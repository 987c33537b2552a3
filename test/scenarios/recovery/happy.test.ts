import { describe, expect, test } from 'vitest';
import { MEMBER, Scene } from './scene.ts';

describe('a recovery without trouble', () => {
  test('replaces the instance once, with its address', async () => {
    const scene = new Scene();
    const old = scene.seedMember();
    scene.sim.crashInstance(old.instanceId);
    const intent = await scene.begin(old);
    const leader = scene.lead();
    const outcome = await scene.run(leader, intent);
    console.log(outcome, scene.hold(MEMBER), scene.clock.monotonicMs());
    for (const line of scene.log.lines) console.log(line.event, JSON.stringify(line.fields));
    expect(outcome).toBe('finished');
  });
});
