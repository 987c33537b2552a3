import type { DescribeKeyRequest, DescribeKeyResponse } from '@aws-sdk/client-kms';
import { Ec2Error } from '../ec2-error.ts';
import type { Handler } from '../actions/common.ts';
import { ACCOUNT_ID, type Call, type Region } from '../region.ts';
import type { SimKmsKey } from './keys.ts';

/**
 * Stands before the action in faults, denied actions and the event log. EC2's actions have no
 * prefix.
 */
export const KMS_PREFIX = 'kms:';

const viewOf = (key: SimKmsKey): NonNullable<DescribeKeyResponse['KeyMetadata']> => ({
  AWSAccountId: ACCOUNT_ID,
  KeyId: key.id,
  Arn: key.arn,
  CreationDate: new Date(key.createdAtWallMs),
  Enabled: key.state === 'Enabled' || key.state === 'Updating',
  Description: key.manager === 'AWS' ? 'Default key that protects my EBS volumes when no other key is defined' : '',
  KeyUsage: 'ENCRYPT_DECRYPT',
  KeyState: key.state,
  ...(key.deletionAtWallMs === null ? {} : { DeletionDate: new Date(key.deletionAtWallMs) }),
  Origin: key.state === 'PendingImport' ? 'EXTERNAL' : 'AWS_KMS',
  KeyManager: key.manager,
  CustomerMasterKeySpec: 'SYMMETRIC_DEFAULT',
  KeySpec: 'SYMMETRIC_DEFAULT',
  EncryptionAlgorithms: ['SYMMETRIC_DEFAULT'],
  MultiRegion: key.multiRegion,
});

/** `DescribeKey`. @throws NotFoundException, AccessDeniedException */
function describeKey(region: Region, _call: Call, input: DescribeKeyRequest): DescribeKeyResponse {
  const name = input.KeyId ?? '';
  const key = region.kmsKeys.find(name);
  if (!key) {
    const what = name.includes('alias/') ? 'Alias' : 'Key';
    throw new Ec2Error('NotFoundException', `${what} '${name}' does not exist`);
  }
  if (key.access !== 'none') return { KeyMetadata: viewOf(key) };
  throw new Ec2Error(
    'AccessDeniedException',
    `User: arn:aws:iam::${ACCOUNT_ID}:user/sim is not authorized to perform: kms:DescribeKey on resource: ${key.arn}`,
  );
}

/** The actions of KMS that are simulated, with their prefix. */
export const KMS_HANDLERS = { 'kms:DescribeKey': describeKey } satisfies Record<string, Handler>;
