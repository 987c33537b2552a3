import type { GetSecretValueRequest, GetSecretValueResponse } from '@aws-sdk/client-secrets-manager';
import type { GetParameterRequest, GetParameterResult } from '@aws-sdk/client-ssm';
import type { Handler } from '../actions/common.ts';
import { refuse } from '../ec2-error.ts';
import { ACCOUNT_ID, type Call, type Region } from '../region.ts';
import type { SecretStoreName, SimSecret } from './store.ts';

/** Before the actions of each in faults, denied actions and the event log. */
export const SSM_PREFIX = 'ssm:';
export const SECRETS_PREFIX = 'secretsmanager:';

const denied = (action: string, resource: string) =>
  `User: arn:aws:sts::${ACCOUNT_ID}:assumed-role/sim/i-sim is not authorized to perform: ${action} on resource: ${resource} because no identity-based policy allows the ${action} action`;

/** @throws AccessDeniedException, or what the service says of a name that it does not have */
function readable(region: Region, store: SecretStoreName, name: string, arn: string, absent: () => never): SimSecret {
  const found = region.secretValues.get(store, name);
  if (!found) return absent();
  const action = store === 'ssm' ? 'ssm:GetParameter' : 'secretsmanager:GetSecretValue';
  if (found.access === 'none') refuse('AccessDeniedException', denied(action, arn));
  if (found.access === 'no-decrypt' && store === 'ssm')
    refuse(
      'AccessDeniedException',
      'The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access.',
    );
  if (found.access === 'no-decrypt') refuse('AccessDeniedException', 'Access to KMS is not allowed');
  return found;
}

/** `GetParameter`. @throws ParameterNotFound, AccessDeniedException */
function getParameter(region: Region, _call: Call, input: GetParameterRequest): GetParameterResult {
  const name = input.Name ?? '';
  const arn = `arn:aws:ssm:${region.name}:${ACCOUNT_ID}:parameter/${name.replace(/^\//, '')}`;
  const found = readable(region, 'ssm', name, arn, () => refuse('ParameterNotFound', ''));
  const Value = input.WithDecryption ? found.value : 'AQICAHh-sealed';
  return {
    Parameter: {
      ...{ Name: name, Type: 'SecureString', Value, Version: found.version, ARN: arn, DataType: 'text' },
      LastModifiedDate: new Date(found.changedAtWallMs),
    },
  };
}

/** `GetSecretValue`. @throws ResourceNotFoundException, AccessDeniedException */
function getSecretValue(region: Region, _call: Call, input: GetSecretValueRequest): GetSecretValueResponse {
  const id = input.SecretId ?? '';
  const name = /^arn:[^:]+:secretsmanager:[^:]*:[^:]*:secret:(.*?)(?:-[A-Za-z0-9]{6})?$/.exec(id)?.[1] ?? id;
  const arn = `arn:aws:secretsmanager:${region.name}:${ACCOUNT_ID}:secret:${name}-AbCdEf`;
  const absent = () => refuse('ResourceNotFoundException', "Secrets Manager can't find the specified secret.");
  const found = readable(region, 'secretsmanager', name, arn, absent);
  return {
    ...{ ARN: arn, Name: name, SecretString: found.value, VersionStages: ['AWSCURRENT'] },
    VersionId: `00000000-0000-4000-8000-${String(found.version).padStart(12, '0')}`,
    CreatedDate: new Date(found.changedAtWallMs),
  };
}

export const SECRET_HANDLERS = {
  'ssm:GetParameter': getParameter,
  'secretsmanager:GetSecretValue': getSecretValue,
} satisfies Record<string, Handler>;
