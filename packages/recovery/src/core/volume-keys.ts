import type { CloudInstance, CloudVolume, KmsKey } from '@understudy/shared';

/**
 * What is known of one key. `unknown`: KMS was asked and did not tell, which says nothing about the
 * key.
 */
export type KeyStanding =
  | { readonly kind: 'usable'; readonly manager: KmsKey['manager'] }
  | { readonly kind: 'unusable'; readonly what: string; readonly remedy: string }
  | { readonly kind: 'unknown'; readonly why: string };

/** Standings by the name that the volumes give a key. A key that is missing was not asked about. */
export type KeyFacts = ReadonlyMap<string, KeyStanding>;

export const NO_KEY_FACTS: KeyFacts = new Map();

type Encrypted = Pick<CloudVolume, 'volumeId' | 'encrypted' | 'kmsKeyId'>;

/** The keys of these volumes, each once. */
export const keysOf = (volumes: readonly Encrypted[]): readonly string[] => [
  ...new Set(volumes.flatMap((one) => (one.encrypted && one.kmsKeyId !== null ? one.kmsKeyId : []))),
];

/**
 * KMS Developer Guide, key states of AWS KMS keys: `Updating` is a multi-Region key that changes
 * its primary Region, and works.
 */
const USABLE: ReadonlySet<string> = new Set(['Enabled', 'Updating']);

const REMEDIES: Readonly<Record<string, readonly [what: string, remedy: string]>> = {
  Disabled: ['disabled', 'Enable it: aws kms enable-key --key-id KEY'],
  PendingDeletion: [
    'going to be deleted',
    'Take that back and enable it: aws kms cancel-key-deletion --key-id KEY, then aws kms enable-key --key-id KEY',
  ],
  PendingReplicaDeletion: [
    'going to be deleted once its replicas are',
    'Take that back and enable it: aws kms cancel-key-deletion --key-id KEY, then aws kms enable-key --key-id KEY',
  ],
  PendingImport: ['without its key material', 'Import that again: aws kms import-key-material'],
  Unavailable: ['in a key store that is not connected', 'Connect the custom key store again'],
  Creating: ['still being made', 'It passes by itself'],
};

/** What KMS's answer means for volumes under that key. A null key: KMS knows no such key. */
export function standingOf(name: string, key: KmsKey | null): KeyStanding {
  if (key === null) {
    const remedy = 'Nothing under it can be read again once the instance stops: move the data to other volumes now';
    return { kind: 'unusable', what: 'not there any more', remedy };
  }
  if (USABLE.has(key.state)) return { kind: 'usable', manager: key.manager };
  const known = REMEDIES[key.state];
  if (!known) return { kind: 'unknown', why: `KMS says that it is ${key.state}, which means nothing to us` };
  const [what, remedy] = known;
  const when = key.deletionAtWallMs === null ? '' : ` at ${new Date(key.deletionAtWallMs).toISOString()}`;
  return { kind: 'unusable', what: `${what}${when}`, remedy: remedy.replaceAll('KEY', name) };
}

const volumesUnder = (key: string, volumes: readonly Encrypted[]): string =>
  volumes.flatMap((one) => (one.encrypted && one.kmsKeyId === key ? one.volumeId : [])).join(', ');

/**
 * Keys without which no snapshot of these volumes comes about, and no volume made from one opens.
 * One sentence for each.
 */
export const lockedTexts = (volumes: readonly Encrypted[], facts: KeyFacts): readonly string[] =>
  keysOf(volumes).flatMap((key) => {
    const standing = facts.get(key);
    if (standing?.kind !== 'unusable') return [];
    const { what, remedy } = standing;
    return [`KMS key ${key} of ${volumesUnder(key, volumes)} is ${what}: EC2 could not open its volumes. ${remedy}`];
  });

/** Keys that were asked about in vain, one sentence for each. */
export const uncheckedTexts = (volumes: readonly Encrypted[], facts: KeyFacts): readonly string[] =>
  keysOf(volumes).flatMap((key) => {
    const standing = facts.get(key);
    return standing?.kind === 'unknown' ? [notChecked(`KMS key ${key}`, standing.why)] : [];
  });

/** One sentence for all keys that nobody asked about. Empty: there are none. */
export function unaskedTexts(volumes: readonly Encrypted[], facts: KeyFacts): readonly string[] {
  const unasked = keysOf(volumes).filter((key) => !facts.has(key));
  return unasked.length > 0 ? [notChecked(unasked.map((key) => `KMS key ${key}`).join(', '), 'nobody asked KMS')] : [];
}

const notChecked = (what: string, why: string): string =>
  `${what} was not checked: ${why}. One that is disabled or deleted, or closed to the coordinator's role, ends the launch`;

/** EC2 names the key in its reason, in one of several spellings. */
const NAMES_KEY = /kms[\s-]?key|\bkms\b/i;

type Ended = Pick<CloudInstance, 'stateReasonCode' | 'stateReasonText'>;

/**
 * Did a replacement end because EC2 may not, or cannot, use the key of one of its volumes? EC2
 * often says no more than "client error on launch" (`Client.InternalError`; EC2 User Guide,
 * instance terminates immediately). That is taken for it wherever there is a key that it could have
 * been.
 */
export function endedForKey(instance: Ended, volumes: readonly Encrypted[], facts: KeyFacts): boolean {
  if (NAMES_KEY.test(`${instance.stateReasonCode ?? ''} ${instance.stateReasonText ?? ''}`)) return true;
  if (instance.stateReasonCode !== 'Client.InternalError') return false;
  return keysOf(volumes).some((key) => {
    const standing = facts.get(key);
    return standing?.kind !== 'usable' || standing.manager === 'CUSTOMER';
  });
}

/** What a person can do about {@link endedForKey}. */
export const keyAdvice = (volumes: readonly Encrypted[], facts: KeyFacts): string => {
  const locked = lockedTexts(volumes, facts);
  if (locked.length > 0) return locked.join('. ');
  const keys = keysOf(volumes).join(', ');
  return `EC2 could not use KMS key ${keys}: it has to be enabled, and its policy has to let the coordinator's role use it (kms:CreateGrant, kms:Decrypt, kms:GenerateDataKeyWithoutPlaintext, kms:ReEncrypt*; understudy iam-policy)`;
};
