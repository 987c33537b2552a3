import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { FetchKey } from './key-place.ts';
import { clientConfig } from './role-client.ts';

/** The current version of a secret, as text. */
export const secretsManagerKey: FetchKey = async (place) => {
  const client = new SecretsManagerClient(clientConfig(place));
  const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: place.reference }));
  return SecretString ?? '';
};
