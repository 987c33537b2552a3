import type { CloudCallOptions } from './cloud.ts';

/** A key, as KMS describes it. */
export interface KmsKey {
  readonly keyId: string;
  readonly arn: string;
  /**
   * `Enabled`, `Disabled`, `PendingDeletion` … (KMS Developer Guide, key states of AWS KMS keys).
   */
  readonly state: string;
  /** `AWS`: the account's own `aws/ebs`, which nobody can disable. */
  readonly manager: 'AWS' | 'CUSTOMER';
  /** When it is deleted. Null: it is not to be. */
  readonly deletionAtWallMs: number | null;
}

/**
 * What we need of KMS. There is one implementation (`kmsOver`, coordinator) over a transport, which
 * is either the SDK's client over HTTP or cloud-sim's core in process. One contract suite tests
 * both.
 */
export interface Kms {
  /**
   * Finds a key by id, ARN or alias. Null: KMS knows none.
   * @throws CLOUD_DENIED, CLOUD_REJECTED, CLOUD_THROTTLED; CLOUD_UNAVAILABLE for whatever is not
   * KMS's own answer about that key (S18)
   */
  describeKey(keyId: string, options?: CloudCallOptions): Promise<KmsKey | null>;
}
