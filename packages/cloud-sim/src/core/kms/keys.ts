import type { Random } from '@understudy/shared';

/** KMS Developer Guide, key states of AWS KMS keys. */
export const KEY_STATES = [
  'Enabled',
  'Disabled',
  'PendingDeletion',
  'PendingImport',
  'PendingReplicaDeletion',
  'Unavailable',
  'Updating',
] as const;
export type SimKeyState = (typeof KEY_STATES)[number];

/**
 * What key policy and grants let the caller do: use the key for volumes and ask about it, only ask,
 * or neither.
 */
export const KEY_ACCESS = ['all', 'describe-only', 'none'] as const;
export type SimKeyAccess = (typeof KEY_ACCESS)[number];

export interface SimKmsKey {
  /** The key id: a UUID, or `mrk-…` of a multi-Region key. */
  readonly id: string;
  readonly arn: string;
  readonly state: SimKeyState;
  readonly manager: 'AWS' | 'CUSTOMER';
  readonly multiRegion: boolean;
  readonly access: SimKeyAccess;
  readonly createdAtWallMs: number;
  readonly deletionAtWallMs: number | null;
}

/** The account's own key for volumes, which cannot be disabled. */
export const DEFAULT_KEY_ALIAS = 'alias/aws/ebs';

/** Why a volume cannot be opened, as an instance that needed it shows it. */
export interface KeyFault {
  readonly code: 'Client.InternalError' | 'Client.InvalidKMSKey.InvalidState';
  readonly message: string;
}

export interface NewKey {
  readonly alias?: string;
  readonly multiRegion?: boolean;
}

export class KmsKeys {
  readonly #arnPrefix: string;
  readonly #random: Random;
  readonly #keys = new Map<string, SimKmsKey>();
  /** Alias name → key id. */
  readonly #aliases = new Map<string, string>();
  /** Whether callers may have EC2 use a customer's key. AWS's own key lets everybody. */
  mayUse: (keyArn: string) => boolean = () => true;

  constructor(region: string, accountId: string, random: Random) {
    this.#arnPrefix = `arn:aws:kms:${region}:${accountId}`;
    this.#random = random;
  }

  all(): readonly (SimKmsKey & { readonly aliases: readonly string[] })[] {
    return [...this.#keys.values()].map((key) => ({
      ...key,
      aliases: [...this.#aliases].flatMap(([alias, id]) => (id === key.id ? alias : [])),
    }));
  }

  add(key: Omit<SimKmsKey, 'arn'>, alias?: string): SimKmsKey {
    const made = { ...key, arn: `${this.#arnPrefix}:key/${key.id}` };
    this.#keys.set(made.id, made);
    if (alias !== undefined) this.#aliases.set(alias, made.id);
    return made;
  }

  /** An enabled customer key. */
  make({ alias, multiRegion = false }: NewKey, wallMs: number): SimKmsKey {
    const hex = this.#random.hex(16);
    const uuid = `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
    const rest = { manager: 'CUSTOMER', access: 'all', createdAtWallMs: wallMs, deletionAtWallMs: null } as const;
    return this.add({ id: multiRegion ? `mrk-${hex}` : uuid, state: 'Enabled', multiRegion, ...rest }, alias);
  }

  /** Finds a key by id, key ARN, alias name or alias ARN. */
  find(name: string): SimKmsKey | undefined {
    const own = name.startsWith(`${this.#arnPrefix}:`) ? name.slice(this.#arnPrefix.length + 1) : name;
    const id = own.startsWith('alias/') ? this.#aliases.get(own) : own.replace(/^key\//, '');
    return id === undefined ? undefined : this.#keys.get(id);
  }

  /** False: there is none of that name, or it is AWS's own. */
  change(name: string, patch: Partial<Pick<SimKmsKey, 'state' | 'access' | 'deletionAtWallMs'>>): boolean {
    const key = this.find(name);
    if (key === undefined || key.manager === 'AWS') return false;
    this.#keys.set(key.id, { ...key, ...patch });
    return true;
  }

  /** Removes the key for good, as when its waiting period is over. */
  remove(name: string): boolean {
    const key = this.find(name);
    if (key === undefined || key.manager === 'AWS') return false;
    for (const [alias, id] of this.#aliases) if (id === key.id) this.#aliases.delete(alias);
    return this.#keys.delete(key.id);
  }

  /** The name EC2 shows for a volume's key: always an ARN, where there is such a key. */
  shown(name: string): string {
    return this.find(name)?.arn ?? name;
  }

  #isAllowed(key: SimKmsKey): boolean {
    return key.manager === 'AWS' || this.mayUse(key.arn);
  }

  /**
   * What happens to a volume under this key when it has to be opened. Null: it opens. A volume that
   * is not encrypted always does.
   */
  fault(name: string | null): KeyFault | null {
    if (name === null) return null;
    const key = this.find(name);
    // EC2 does not say why where it may not even look.
    if (key === undefined || key.access !== 'all' || !this.#isAllowed(key))
      return { code: 'Client.InternalError', message: 'Client.InternalError: Client error on launch' };
    if (key.state === 'Enabled' || key.state === 'Updating') return null;
    const code = 'Client.InvalidKMSKey.InvalidState';
    return { code, message: `${code}: The KMS key provided is in an incorrect state` };
  }
}
