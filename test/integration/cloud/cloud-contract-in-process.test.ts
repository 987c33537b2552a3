import { CLOUD_CONTRACT } from '@understudy/shared/testing';
import { describe, it } from 'vitest';
import { inProcessFixture } from './in-process-fixture.ts';

describe('Cloud over cloud-sim in process', () => {
  it.each(CLOUD_CONTRACT)('$name', async (one) => {
    const fixture = inProcessFixture();
    await fixture.clock.runUntilSettled(one.run(fixture));
    fixture.sim.close();
  });
});
