import { readFile } from 'node:fs/promises';
import { errorText, OperationError } from '@understudy/shared';
import { parseConfig } from '@understudy/shared/node';
import { CoordinatorConfigSchema } from '../../config.ts';
import type { KeySource, OfferedKeys } from '@understudy/observer';
import { mastersOf } from './load-secrets.ts';
import { type StoredKeys, storedPlacesOf } from './stored-keys.ts';

async function textOf(path: string, code: 'CONFIG_INVALID' | 'KEY_INVALID'): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new OperationError(code, `cannot read ${path}: ${errorText(cause)}`, { cause });
  }
}

/**
 * `keys` and `dropKeysInUse` of the configuration file and the key files it names, as they are now;
 * what lies in a store, as it was read not long ago, or now where that was asked for.
 * The configuration is parsed only when its text has changed. The whole file has to be valid: we do
 * not believe the keys of a configuration that is otherwise wrong.
 */
export function keySource(configPath: string, stored: Pick<StoredKeys, 'renew' | 'textOf' | 'doubt'>): KeySource {
  let parsed: { readonly text: string; readonly config: ReturnType<typeof CoordinatorConfigSchema.parse> } | null =
    null;
  return {
    async read({ isAsked }): Promise<OfferedKeys> {
      const text = await textOf(configPath, 'CONFIG_INVALID');
      if (parsed?.text !== text) parsed = { text, config: parseConfig(CoordinatorConfigSchema, text, configPath) };
      const { keys, dropKeysInUse } = parsed.config;
      const texts = new Map<string, string>();
      for (const { file } of keys) if (file !== undefined) texts.set(file, await textOf(file, 'KEY_INVALID'));
      await stored.renew(storedPlacesOf(keys), isAsked);
      const inFile = (file: string): string => texts.get(file) ?? '';
      try {
        const masters = mastersOf(keys, { inFile, inStore: (place) => stored.textOf(place) });
        return { masters, forced: dropKeysInUse };
      } catch (error) {
        stored.doubt();
        throw error;
      }
    },
  };
}
