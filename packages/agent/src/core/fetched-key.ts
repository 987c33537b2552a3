import { OperationError, SECRET_STORES, type SecretStore } from '@understudy/shared';
import { enrolmentRemedy } from './enrolment-remedy.ts';

/**
 * Where a member's key may lie outside its instance, by the field of `key` that names it: the
 * stores of coordinators, and the coordinators themselves. Each source is a file with a line in
 * `key-sources/key-sources.ts`; one that is no store is a word here and a field of the
 * configuration.
 */
export const REMOTE_KEY_SOURCES = [...SECRET_STORES, 'enrolAt'] as const;
export type RemoteKeySource = (typeof REMOTE_KEY_SOURCES)[number];

export interface RemoteKey {
  readonly source: RemoteKeySource;
  /** Name or ARN of the parameter or secret; addresses of coordinators, with commas between. */
  readonly reference: string;
}

/** What one try to fetch a key came to. `name` is the service's own word for its refusal. */
export type FetchOutcome =
  | { readonly kind: 'found'; readonly text: string }
  | { readonly kind: 'refused'; readonly name: string; readonly detail: string };

/** The remote key that a configuration names, or null. */
export function remoteKeyOf(
  key: Readonly<Partial<Record<RemoteKeySource, string | readonly string[] | undefined>>>,
): RemoteKey | null {
  for (const source of REMOTE_KEY_SOURCES) {
    const reference = key[source];
    if (reference !== undefined) return { source, reference: [reference].flat().join(',') };
  }
  return null;
}

/**
 * The key in what a source holds: `ID KEY`, or `KEY` alone for the configured id. White space
 * around it is nothing.
 *
 * @throws KEY_INVALID without repeating what was found.
 */
export function parseFetchedKey(text: string, configuredId: number, where: string) {
  const words = text.trim().split(/\s+/);
  const [hex = '', idText = String(configuredId)] = words.toReversed();
  const id = Number(idText);
  const isKey = words.length <= 2 && /^[0-9a-fA-F]{64}$/.test(hex) && /^\d{1,3}$/.test(idText) && id >= 1 && id <= 255;
  if (!isKey)
    throw new OperationError('KEY_INVALID', `${where}: want KEY or "ID KEY", ID 1-255, KEY 64 hex characters`);
  return { id, hex: hex.toLowerCase() };
}

const PUT: Readonly<Record<SecretStore, string>> = {
  ssmParameter: 'aws ssm put-parameter --type SecureString --name',
  secretsManager: 'aws secretsmanager create-secret --name',
};
const ACTION: Readonly<Record<SecretStore, string>> = {
  ssmParameter: 'ssm:GetParameter',
  secretsManager: 'secretsmanager:GetSecretValue',
};

/** What an operator can do about a refusal. It is tried again whatever it is. */
export function fetchRemedy(
  { source, reference }: RemoteKey,
  refused: Extract<FetchOutcome, { readonly kind: 'refused' }>,
): string {
  const { name, detail } = refused;
  if (source === 'enrolAt') return enrolmentRemedy(name);
  if (/AccessDenied/.test(name) && /KMS|ciphertext|kms:/.test(detail))
    return `allow kms:Decrypt on the key that ${reference} is encrypted with, to the instance's role and in the key's policy`;
  if (/AccessDenied|UnauthorizedOperation/.test(name))
    return `allow ${ACTION[source]} on ${reference} to the role of this instance`;
  if (/NotFound/.test(name))
    return `put the key there: ${PUT[source]} ${reference}, or correct key.${source} and key.region`;
  if (/Credentials|^ProviderError/.test(name))
    return 'give this instance an instance profile; its metadata service has no credentials of a role';
  if (/Signature|Expired|UnrecognizedClient|InvalidClientToken/.test(name))
    return 'look at the clock of this instance, and whether the role still exists';
  return 'see that this instance reaches the service (a route, a NAT gateway or a VPC endpoint)';
}
