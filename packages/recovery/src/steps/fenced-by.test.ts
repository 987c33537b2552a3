import { expect, test } from 'vitest';
import { fencedBy } from './fenced-by.ts';
import { putThrough, RunRig } from '../run.fixtures.ts';

test('how the old instance was fenced is known once the fence is done, and not before', async () => {
  const rig = new RunRig();
  expect(fencedBy(await rig.run())).toBeNull();
  rig.putStep('fence');
  expect(fencedBy(await rig.run())).toBeNull();
  putThrough(rig, 'fence', { fence: { result: { how: 'lease' } } });
  expect(fencedBy(await rig.run())).toBe('lease');
});
