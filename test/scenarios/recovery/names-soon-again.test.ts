import { expect, test } from 'vitest';
import { groupArn, NAMED, registered } from './names-scene.ts';
import { stage } from './stories.ts';

/** Looks at target groups are kept for five minutes: this one fails before they are over. */
test('a replacement that fails soon after: the one after it is registered, and it is not any more', async () => {
  const { scene, old } = await stage(NAMED);
  expect(await scene.run(scene.lead(), scene.intent()), JSON.stringify(scene.hold())).toBe('finished');
  const second = scene.activation()?.instanceId ?? '';
  expect(registered(scene)).toEqual([`${second}:80`, `${second}:8080`]);
  scene.sim.crashInstance(second);
  await scene.clock.advance(10_000);
  await scene.begin({ ...old, instanceId: second });
  expect(await scene.run(scene.lead(), scene.intent()), JSON.stringify(scene.hold())).toBe('finished');
  const third = scene.activation()?.instanceId ?? '';
  expect(new Set([old.instanceId, second, third]).size).toBe(3);
  expect(registered(scene), groupArn(scene)).toEqual([`${third}:80`, `${third}:8080`]);
});
