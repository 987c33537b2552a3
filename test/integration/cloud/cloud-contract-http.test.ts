import { CLOUD_CONTRACT } from '@understudy/shared/testing';
import { describe, it } from 'vitest';
import { httpFixture } from './http-fixture.ts';

describe('Cloud over the SDK and HTTP', () => {
  it.each(CLOUD_CONTRACT)('$name', async (one) => {
    const fixture = await httpFixture();
    try {
      await one.run(fixture);
    } finally {
      await fixture.close();
    }
  });
});
