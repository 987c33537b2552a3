import { OperationError, parseKey } from '@understudy/shared';
import { readFileSync } from 'node:fs';
import type { KeyFilePaths } from './adapters/key-files.ts';
import type { AgentConfig } from './config.ts';
import type { AgentKey } from './core/key-ring.ts';

/**
 * What the running agent does with its config. Apart from the schema, so that the long-lived
 * process does not carry zod (docs/agent.md, Memory).
 */

const HOST_PORT = /^(\[[0-9a-fA-F:.]+\]|[^\s:[\]]+):(\d{1,5})$/;

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** `host:port`, `[v6]:port`; null unless it is one with a port of 1-65535. */
export function parseHostPort(text: string): HostPort | null {
  const match = HOST_PORT.exec(text);
  const port = Number(match?.[2]);
  if (!match?.[1] || port < 1 || port > 65_535) return null;
  return { host: match[1].replace(/^\[|\]$/g, ''), port };
}

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

/**
 * Periods the watchdog may take to strike: its own; one more when this process was stopped between
 * deciding to pet and petting; and one when it dies, because Linux pets a watchdog whose file is
 * closed without being disarmed (`watchdog_release` in drivers/watchdog/watchdog_dev.c).
 */
export const WATCHDOG_PERIODS = 3;

/** What is left of `stopWithinMs` for the hook, the watchdog's own time taken off. ms */
export const withdrawMsOf = ({ serve }: Pick<AgentConfig, 'serve'>): number =>
  serve.stopWithinMs - WATCHDOG_PERIODS * (serve.watchdog?.timeoutMs ?? 0);
