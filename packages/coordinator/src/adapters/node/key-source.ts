import { readFile } from 'node:fs/promises';
import { errorText, OperationError } from '@understudy/shared';
import { parseConfig } from '@understudy/shared/node';
import { CoordinatorConfigSchema } from '../../config.ts';
import type { KeySource, OfferedKeys } from '@understudy/observer';
import { mastersOf } from './load-secrets.ts';

async function textOf(path: string, code: 'CONFIG_INVALID' | 'KEY_INVALID'): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new OperationError(code, `cannot read ${path}: ${errorText(cause)}`, { cause });
  }
}

/**
 * `keys` and `dropKeysInUse` of the configuration file and the key files it names, as they are now.
 * The configuration is parsed only when its text has changed. The whole file has to be valid: we do
 * not believe the keys of a configuration that is otherwise wrong.
 */
export function keySource(configPath: string): KeySource {
  let parsed: { readonly text: string; readonly config: ReturnType<typeof CoordinatorConfigSchema.parse> } | null =
    null;
  return {
    async read(): Promise<OfferedKeys> {
      const text = await textOf(configPath, 'CONFIG_INVALID');
      if (parsed?.text !== text) parsed = { text, config: parseConfig(CoordinatorConfigSchema, text, configPath) };
      const { keys, dropKeysInUse } = parsed.config;
      const texts = new Map<string, string>();
      for (const { file } of keys) texts.set(file, await textOf(file, 'KEY_INVALID'));
      return { masters: mastersOf(keys, (file) => texts.get(file) ?? ''), forced: dropKeysInUse };
    },
  };
}
