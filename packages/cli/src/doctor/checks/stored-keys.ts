import type { SecretStore } from '@understudy/shared';
import { check } from '../check.ts';
import type { CoordinatorHost } from '../coordinator-host.ts';
import { type Finding, fault, note, ok, warning } from '../finding.ts';
import type { StoredKey } from '../stored-keys.ts';

/** How the right is printed, and how a key is put there, by store. */
const WAYS: Readonly<Record<SecretStore, { readonly option: string; readonly put: string }>> = {
  ssmParameter: { option: '--parameter', put: 'aws ssm put-parameter --type SecureString --name' },
  secretsManager: { option: '--secret-name', put: 'aws secretsmanager create-secret --name' },
};

function findingOf(key: StoredKey): Finding {
  const { store, reference } = key.place;
  const where = `${store} ${reference}`;
  if (key.kind === 'read') return ok(`the key in ${where} can be read (${key.fingerprint})`);
  const { option, put } = WAYS[store];
  if (key.code === 'CLOUD_DENIED')
    return fault(
      `${where} is closed to this host: ${key.text}`,
      'give the role ReadParameters or ReadSecrets, and OpenSecrets where a key of your own closes it',
      `understudy iam-policy ${option} ${reference}`,
    );
  if (key.code === 'CLOUD_NOT_FOUND')
    return fault(
      `${where} is not there: ${key.text}`,
      'put the master secret there, or correct keys',
      `${put} ${reference}`,
    );
  if (key.code === 'KEY_INVALID') return fault(key.text, 'put 64 hex characters there: understudy keys generate');
  return warning(
    `${where} could not be read: ${key.text}`,
    'see that the store can be reached from here (NAT or a VPC endpoint), and that aws.region is right',
  );
}

/** Whether the keys that lie in a store can be read from here. Pure. */
export const judgeStoredKeys = (keys: readonly StoredKey[]): readonly Finding[] =>
  keys.length === 0 ? [note('no key lies in a store of AWS: files only')] : keys.map(findingOf);

export const storedKeys = check(
  'keys in stores',
  async ({ storedKeys: read }: CoordinatorHost): Promise<readonly StoredKey[]> => [...(await read()).values()],
  judgeStoredKeys,
);
