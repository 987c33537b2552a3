import { OperationError, parseKey } from '@understudy/shared';
import { readFileSync } from 'node:fs';
import type { AgentConfig } from './config.ts';

/** What the running agent does with its config. Apart from the schema, so that the long-lived process does not carry zod (docs/agent.md, Memory). */

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
export function readAgentKey(config: AgentConfig): Uint8Array {
  if (config.key.hex !== undefined) return parseKey(config.key.hex, 'key.hex');
  const file = rooted(config, config.key.file ?? '');
  try {
    return parseKey(readFileSync(file, 'utf8'), file);
  } catch (cause) {
    if (cause instanceof OperationError) throw cause;
    throw new OperationError('KEY_INVALID', `cannot read ${file}`, { cause });
  }
}

/** What is logged at start: the effective config with its secret masked. */
export const maskedConfig = (config: AgentConfig): object => ({
  ...config,
  key: { ...config.key, ...(config.key.hex === undefined ? {} : { hex: '[masked]' }) },
});

/** What is left of `stopWithinMs` for the hook, the watchdog's own time taken off. ms */
export const withdrawMsOf = ({ serve }: Pick<AgentConfig, 'serve'>): number =>
  serve.stopWithinMs - (serve.watchdog?.timeoutMs ?? 0);
