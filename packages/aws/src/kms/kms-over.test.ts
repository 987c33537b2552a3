import { hasCode, type Kms } from '@understudy/shared';
import { SimClock } from '@understudy/shared/testing';
import { expect, test } from 'vitest';
import { kmsOver } from './kms-over.ts';

const ID = '11111111-2222-4333-8444-555555555555';
const ARN = `arn:aws:kms:us-east-1:123456789012:key/${ID}`;
const OTHER = 'arn:aws:kms:us-east-1:123456789012:key/other';

const answering = (KeyMetadata: unknown): Kms =>
  kmsOver({ transport: async () => ({ KeyMetadata }), clock: new SimClock(), callTimeoutMs: 1_000 });

test.each([ARN, ID, 'alias/orders', 'arn:aws:kms:us-east-1:123456789012:alias/orders'])(
  'asked for %s, the answer about that key is believed',
  async (asked) => {
    const kms = answering({ KeyId: ID, Arn: ARN, KeyState: 'Enabled', KeyManager: 'CUSTOMER' });
    expect(await kms.describeKey(asked)).toMatchObject({ arn: ARN, state: 'Enabled' });
  },
);

test.each<readonly [string, string, unknown]>([
  ['nothing', ARN, undefined],
  ['no state', ARN, { KeyId: ID, Arn: ARN }],
  ['no ARN', ARN, { KeyId: ID, KeyState: 'Enabled' }],
  ['another key', ARN, { KeyId: 'other', Arn: OTHER, KeyState: 'Disabled' }],
  ['another key, asked for by its id', ID, { KeyId: 'other', Arn: OTHER, KeyState: 'Disabled' }],
  ['an id and an ARN that disagree', 'alias/orders', { KeyId: 'other', Arn: ARN, KeyState: 'Disabled' }],
  ['the alias as if it were a key', 'alias/x', { KeyId: 'alias/x', Arn: 'alias/x', KeyState: 'Disabled' }],
])('an answer about %s is nobody’s finding', async (_, asked, metadata) => {
  const work = answering(metadata).describeKey(asked);
  await expect(work).rejects.toSatisfy((error) => hasCode(error, 'CLOUD_UNAVAILABLE'));
});
