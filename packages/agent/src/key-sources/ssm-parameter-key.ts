import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import type { FetchKey } from './key-place.ts';
import { clientConfig } from './role-client.ts';

/** A SecureString (or String) of Systems Manager's Parameter Store. */
export const ssmParameterKey: FetchKey = async (place) => {
  const client = new SSMClient(clientConfig(place));
  const { Parameter } = await client.send(new GetParameterCommand({ Name: place.reference, WithDecryption: true }));
  return Parameter?.Value ?? '';
};
