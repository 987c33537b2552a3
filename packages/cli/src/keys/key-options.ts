import { type Command, InvalidArgumentError } from 'commander';

/** Parses a key id. */
export function keyId(text: string): number {
  const id = Number(text);
  if (Number.isInteger(id) && id >= 1 && id <= 255) return id;
  throw new InvalidArgumentError('want a key id, 1-255');
}

/** The options of a command that reads a master secret. */
export interface MasterOptions {
  readonly master: string;
  readonly keyId: number;
}

export const withMaster = (command: Command): Command =>
  command
    .requiredOption('--master <file>', 'master secret: 64 hex characters')
    .option('--key-id <id>', 'key id, 1-255', keyId, 1);
