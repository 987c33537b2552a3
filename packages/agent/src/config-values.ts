import { OperationError, parseKey } from '@understudy/shared';
import { readFileSync } from 'node:fs';
import type { KeyFilePaths } from './adapters/key-files.ts';
import type { AgentConfig } from './config.ts';
import { remoteKeyOf } from './core/fetched-key.ts';
import type { AgentKey } from './core/key-ring.ts';

/**
 * How the running agent reads its config. The schema is elsewhere, so that the long-lived process
 * does not carry zod (docs/agent.md, Memory).
 */

/** `rootDir` + path: the only way a configured path becomes a real one. */
export const rooted = (config: Pick<AgentConfig, 'rootDir'>, path: string): string => `${config.rootDir}${path}`;

/**
 * Null: the key is fetched from outside the instance.
 *
 * @throws KEY_INVALID when the key file cannot be read or does not hold 64 hex characters.
 */
export function readAgentKey(config: AgentConfig): AgentKey | null {
  const { id } = config.key;
  if (remoteKeyOf(config.key)) return null;
  if (config.key.hex !== undefined) return { id, hex: hexOf(config.key.hex, 'key.hex') };
  const file = rooted(config, config.key.file ?? '');
  try {
    return { id, hex: hexOf(readFileSync(file, 'utf8'), file) };
  } catch (cause) {
    if (cause instanceof OperationError) throw cause;
    throw new OperationError('KEY_INVALID', `cannot read ${file}`, { cause });
  }
}

const hexOf = (text: string, source: string): string => Buffer.from(parseKey(text, source)).toString('hex');

/** Where the agent looks for keys, and keeps them. */
export const keyFilePaths = (config: AgentConfig): KeyFilePaths => ({
  stored: rooted(config, `${config.stateDir}/keys.json`),
  next: rooted(config, config.key.nextFile ?? `${config.stateDir}/next.key`),
  configured: configuredKeyFile(config),
});

/** The one of the configuration, or the one that a fetched key is kept in. */
function configuredKeyFile(config: AgentConfig): KeyFilePaths['configured'] {
  const path = remoteKeyOf(config.key) ? FETCHED_KEY_FILE : config.key.file;
  return path === undefined ? null : { path: rooted(config, path), id: config.key.id };
}

/** What this agent enrols with. On the disk, so that it outlives a reboot; for the agent alone. */
export const enrolmentSecretFile = (config: Pick<AgentConfig, 'rootDir' | 'stateDir'>): string =>
  rooted(config, `${config.stateDir}/enrolment.json`);

/** In memory, readable by the agent alone: `ID KEY`. The next start of an agent finds it. */
export const FETCHED_KEY_FILE = '/run/understudy/fetched.key';

/** What is logged at start: the effective config with its secret masked. */
export const maskedConfig = (config: AgentConfig): object => ({
  ...config,
  key: { ...config.key, ...(config.key.hex === undefined ? {} : { hex: '[masked]' }) },
});
