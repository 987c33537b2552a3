import { readFileSync, statSync } from 'node:fs';
import type { HistoryPlace } from '@understudy/inventory';
import { errorText, OperationError, parseKey, placeText, type SecretPlace, secretPlaceOf } from '@understudy/shared';
import type { CoordinatorConfig } from '../../config.ts';
import { webhookSecret } from '../../notices/webhook.ts';

export interface LoadedTls {
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
}

/** Everything that must never be logged. It is kept apart from the configuration on purpose. */
export interface LoadedSecrets {
  /** Key id → master secret. */
  readonly masters: ReadonlyMap<number, Uint8Array>;
  readonly etcdPassword: string | null;
  readonly tls: LoadedTls | null;
  /** Webhook → what signs its notices. */
  readonly webhookSecrets: ReadonlyMap<string, Uint8Array>;
  /** Where the inventory history is kept, and how that is entered. Null: none is kept. */
  readonly inventory: HistoryPlace | null;
  /**
   * Files that others than their owner may read. This is worth a warning, not a refusal (container
   * secrets are often 0644).
   */
  readonly openFiles: readonly { readonly file: string; readonly mode: string }[];
}

function read(file: string, code: 'KEY_INVALID' | 'CONFIG_INVALID'): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new OperationError(code, `cannot read ${file}: ${errorText(cause)}`, { cause });
  }
}

const readableByOthers = (file: string) => {
  const mode = statSync(file).mode & 0o777;
  return (mode & 0o077) === 0 ? [] : [{ file, mode: mode.toString(8).padStart(4, '0') }];
};

function loadTls(tls: NonNullable<CoordinatorConfig['etcd']['tls']>): LoadedTls {
  return {
    ...(tls.caFile === undefined ? {} : { ca: read(tls.caFile, 'CONFIG_INVALID') }),
    ...(tls.certFile === undefined ? {} : { cert: read(tls.certFile, 'CONFIG_INVALID') }),
    ...(tls.keyFile === undefined ? {} : { key: read(tls.keyFile, 'CONFIG_INVALID') }),
  };
}

function loadWebhookSecret(name: string, file: string): Uint8Array {
  const secret = webhookSecret(read(file, 'CONFIG_INVALID').toString('utf8'));
  if (secret !== null) return secret;
  const want = 'want whsec_ and at least 24 bytes in base64, e.g. of `echo "whsec_$(openssl rand -base64 32)"`';
  throw new OperationError('CONFIG_INVALID', `notify.webhooks ${name}: secretFile ${file}: ${want}`);
}

export interface KeyTexts {
  readonly inFile: (file: string) => string;
  /** Null: what lies in a store is left out. */
  readonly inStore: ((place: SecretPlace) => string) | null;
}

/**
 * Key id → master secret, in the order of the configuration (oldest first).
 * @throws KEY_INVALID naming the file or the place
 */
export const mastersOf = (
  keys: CoordinatorConfig['keys'],
  { inFile, inStore }: KeyTexts,
): ReadonlyMap<number, Uint8Array> =>
  new Map(
    keys.flatMap(({ id, file, ...places }): [number, Uint8Array][] => {
      if (file !== undefined) return [[id, parseKey(inFile(file), file)]];
      const place = secretPlaceOf(places);
      return place === null || inStore === null ? [] : [[id, parseKey(inStore(place), placeText(place))]];
    }),
  );

function inventoryPlace(inventory: CoordinatorConfig['inventory']): HistoryPlace | null {
  if (inventory?.sqlite !== undefined) return { kind: 'sqlite', file: inventory.sqlite.file };
  if (inventory?.postgres === undefined) return null;
  const { passwordFile, caFile, ...place } = inventory.postgres;
  const textOf = (file: string | undefined): string | null =>
    file === undefined ? null : read(file, 'CONFIG_INVALID').toString('utf8');
  const password = textOf(passwordFile)?.trim() ?? null;
  if (password === '')
    throw new OperationError('CONFIG_INVALID', `inventory.postgres.passwordFile ${passwordFile} is empty`);
  return { kind: 'postgres', ...place, password, ca: textOf(caFile) };
}

/** Webhooks of hooks and of notices may have the same name. */
export const hookSecretName = (name: string): string => `hooks:${name}`;

/**
 * Reads the key files, the etcd password and the TLS files, once, at start. `inStore`: the keys
 * that lie in a store, which were read before; absent: they are left out.
 * @throws KEY_INVALID (a master secret: missing, unreadable, not 64 hex characters) or
 * CONFIG_INVALID (any other file), naming the file.
 */
export function loadSecrets(config: CoordinatorConfig, inStore: KeyTexts['inStore'] = null): LoadedSecrets {
  const { passwordFile, tls } = config.etcd;
  const masters = mastersOf(config.keys, { inFile: (file) => read(file, 'KEY_INVALID').toString('utf8'), inStore });
  const etcdPassword = passwordFile === undefined ? null : read(passwordFile, 'CONFIG_INVALID').toString('utf8').trim();
  if (etcdPassword === '') throw new OperationError('CONFIG_INVALID', `etcd.passwordFile ${passwordFile} is empty`);
  const loadedTls = tls === undefined ? null : loadTls(tls);
  const secretFiles = [
    ...config.keys.map((key) => key.file),
    passwordFile,
    tls?.keyFile,
    config.http.operatorTokenFile,
    config.http.tls?.keyFile,
    config.inventory?.postgres?.passwordFile,
    ...config.notify.webhooks.map(({ secretFile }) => secretFile),
    ...config.hooks.webhooks.map(({ secretFile }) => secretFile),
  ];
  const openFiles = secretFiles.flatMap((file) => (file === undefined ? [] : readableByOthers(file)));
  const webhookSecrets = new Map([
    ...config.notify.webhooks.map(({ name, secretFile }) => [name, loadWebhookSecret(name, secretFile)] as const),
    ...config.hooks.webhooks.map(
      ({ name, secretFile }) => [hookSecretName(name), loadWebhookSecret(name, secretFile)] as const,
    ),
  ]);
  const inventory = inventoryPlace(config.inventory);
  return { masters, etcdPassword, tls: loadedTls, webhookSecrets, inventory, openFiles };
}
