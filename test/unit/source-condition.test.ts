import { SystemClock } from '@understudy/shared/node';
import { SimClock } from '@understudy/shared/testing';
import { expect, it } from 'vitest';

it('workspace packages are taken from their source', async () => {
  for (const entry of [
    '@understudy/shared',
    '@understudy/shared/testing',
    '@understudy/cloud-sim',
    '@understudy/coordinator',
  ]) {
    expect(import.meta.resolve(entry)).toMatch(/\/packages\/[a-z-]+\/src\/(?:testing\/)?index\.ts$/);
  }
  const clock = new SimClock();
  await clock.advance(5);
  expect([clock.monotonicMs(), new SystemClock().monotonicMs() > 0]).toEqual([5, true]);
});
