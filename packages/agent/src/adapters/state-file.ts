import { readFile } from 'node:fs/promises';
import type { StoredState } from '../core/boot.ts';
import { writeDurably } from './durable-file.ts';

/** `stateDir/state.json`. */
export interface StateStore {
  /** Null when there is none, or none that can be read. */
  read(): Promise<StoredState | null>;
  write(state: StoredState): Promise<void>;
}

export function stateFile(path: string, onUnreadable: (detail: string) => void): StateStore {
  return {
    async read() {
      let text: string;
      try {
        text = await readFile(path, 'utf8');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') onUnreadable(String(error));
        return null;
      }
      const parsed = parseState(text);
      if (!parsed) onUnreadable('not a state file of this version');
      return parsed;
    },
    async write({ instanceId, bootEpoch }) {
      const text = JSON.stringify({ schemaVersion: 1, instanceId, bootEpoch: String(bootEpoch) });
      await writeDurably(path, `${text}\n`, 0o600);
    },
  };
}

/**
 * `{ schemaVersion: 1, instanceId, bootEpoch }`. The epoch is a u64 in decimal text, because JSON
 * numbers end at 2^53. It is parsed by hand (docs/agent.md, Memory).
 */
function parseState(text: string): StoredState | null {
  try {
    const { schemaVersion, instanceId, bootEpoch } = JSON.parse(text) as Record<string, unknown>;
    if (schemaVersion !== 1 || typeof instanceId !== 'string' || instanceId === '') return null;
    if (typeof bootEpoch !== 'string' || !/^\d{1,19}$/.test(bootEpoch)) return null;
    return { instanceId, bootEpoch: BigInt(bootEpoch) };
  } catch {
    return null;
  }
}
