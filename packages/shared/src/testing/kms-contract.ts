import { strict as assert } from 'node:assert';
import { type ErrorCode, isOperationError } from '../errors.ts';
import type { Kms } from '../ports/kms.ts';

/** What the suite needs of an environment that has a KMS. */
export interface KmsContractFixture {
  readonly kms: Kms;
  /** A new, enabled customer key. */
  createKey(options?: { readonly alias?: string; readonly multiRegion?: boolean }): Promise<{ readonly arn: string }>;
  disable(arn: string): Promise<void>;
  enable(arn: string): Promise<void>;
  /** Schedules the key's deletion, in 7 days. */
  scheduleDeletion(arn: string): Promise<void>;
  /** Its policy lets the caller do nothing. */
  deny(arn: string): Promise<void>;
  /** The next DescribeKey fails like this. */
  fault(kind: KmsContractFault): Promise<{ firedCount(): Promise<number> }>;
  /** The same KMS with credentials it does not accept. Null where the transport has none. */
  readonly stranger: Kms | null;
  /** An address where nobody answers. */
  readonly nowhere: Kms;
}

export type KmsContractFault = 'throttle' | 'internal-error' | 'foreign-answer' | 'lost-reply';

export interface KmsContractCase {
  readonly name: string;
  run(fixture: KmsContractFixture): Promise<void>;
}

async function refused(work: Promise<unknown>, code: ErrorCode): Promise<void> {
  try {
    await work;
  } catch (error) {
    assert.ok(isOperationError(error), `want an OperationError, got ${String(error)}`);
    assert.equal(error.code, code, error.message);
    return;
  }
  assert.fail(`want ${code}, but it succeeded`);
}

const DAY_MS = 86_400_000;

const FAULTS: readonly (readonly [KmsContractFault, ErrorCode])[] = [
  ['throttle', 'CLOUD_THROTTLED'],
  ['internal-error', 'CLOUD_UNAVAILABLE'],
  ['foreign-answer', 'CLOUD_UNAVAILABLE'],
  ['lost-reply', 'CLOUD_UNAVAILABLE'],
];

/** Every implementation of {@link Kms} passes these. */
export const KMS_CONTRACT: readonly KmsContractCase[] = [
  {
    name: 'a new key is enabled, by its ARN, its id and its alias',
    async run(f) {
      const { arn } = await f.createKey({ alias: 'alias/orders' });
      const key = await f.kms.describeKey(arn);
      assert.ok(key);
      assert.equal(key.arn, arn);
      assert.deepEqual(
        { state: key.state, manager: key.manager, deletionAtWallMs: key.deletionAtWallMs },
        { state: 'Enabled', manager: 'CUSTOMER', deletionAtWallMs: null },
      );
      assert.deepEqual(await f.kms.describeKey(key.keyId), key);
      assert.deepEqual(await f.kms.describeKey('alias/orders'), key);
    },
  },
  {
    name: 'a key of several Regions has an id of its own form',
    async run(f) {
      const { arn } = await f.createKey({ multiRegion: true });
      const key = await f.kms.describeKey(arn);
      assert.match(key?.keyId ?? '', /^mrk-[0-9a-f]{32}$/);
    },
  },
  {
    name: "the account's own key for volumes is AWS's, and enabled",
    async run(f) {
      const key = await f.kms.describeKey('alias/aws/ebs');
      assert.equal(key?.manager, 'AWS');
      assert.equal(key.state, 'Enabled');
    },
  },
  {
    name: 'a key that was disabled says so, and works again once it is enabled',
    async run(f) {
      const { arn } = await f.createKey();
      await f.disable(arn);
      assert.equal((await f.kms.describeKey(arn))?.state, 'Disabled');
      await f.enable(arn);
      assert.equal((await f.kms.describeKey(arn))?.state, 'Enabled');
    },
  },
  {
    name: 'a key that is to be deleted says when',
    async run(f) {
      const { arn } = await f.createKey();
      const created = await f.kms.describeKey(arn);
      await f.scheduleDeletion(arn);
      const key = await f.kms.describeKey(arn);
      assert.equal(created?.deletionAtWallMs, null);
      assert.equal(key?.state, 'PendingDeletion');
      assert.ok((key.deletionAtWallMs ?? 0) > 6 * DAY_MS);
    },
  },
  {
    name: 'a key that does not exist is told as such, not as an error',
    async run(f) {
      assert.equal(await f.kms.describeKey('00000000-0000-4000-8000-000000000000'), null);
      assert.equal(await f.kms.describeKey('alias/nobody'), null);
    },
  },
  {
    name: 'what its policy does not allow is denied, which says nothing of the key',
    async run(f) {
      const { arn } = await f.createKey();
      await f.deny(arn);
      await refused(f.kms.describeKey(arn), 'CLOUD_DENIED');
      if (f.stranger) await refused(f.stranger.describeKey('alias/aws/ebs'), 'CLOUD_DENIED');
    },
  },
  ...FAULTS.map(
    ([kind, code]): KmsContractCase => ({
      name: `${kind}: no answer is no finding`,
      async run(f) {
        const { arn } = await f.createKey();
        const fault = await f.fault(kind);
        await refused(f.kms.describeKey(arn), code);
        assert.equal(await fault.firedCount(), 1);
        assert.equal((await f.kms.describeKey(arn))?.state, 'Enabled');
      },
    }),
  ),
  {
    name: 'an address where nobody answers is no finding',
    run: (f) => refused(f.nowhere.describeKey('alias/aws/ebs'), 'CLOUD_UNAVAILABLE'),
  },
];
