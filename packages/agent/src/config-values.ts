import { OperationError, parseKey } from '@understudy/shared';
import { readFileSync } from 'node:fs';
import type { KeyFilePaths } from './adapters/key-files.ts';
import type { AgentConfig } from './config.ts';
import type { AgentKey } from './core/key-ring.ts';

/**
 * How the running agent reads its config. The schema is elsewhere, so that the long-lived process
 * does not carry zod (docs/agent.md, Memory).
 */

/** `rootDir` + path: the only way a configured path becomes a real one. */
export const rooted = (config: Pick<AgentConfig, 'rootDir'>, path: string): string => `${config.rootDir}${path}`;

/** @throws KEY_INVALID when the key file cannot be read or does not hold 64 hex characters. */
export function readAgentKey(config: AgentConfig): AgentKey {
  const { id } = config.key;
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
  configured: config.key.file === undefined ? null : { path: rooted(config, config.key.file), id: config.key.id },
});

/** What is logged at start: the effective config with its secret masked. */
export const maskedConfig = (config: AgentConfig): object => ({
  ...config,
  key: { ...config.key, ...(config.key.hex === undefined ? {} : { hex: '[masked]' }) },
});
