import { statSync } from 'node:fs';
import { check } from '../check.ts';
import { type NamedFile, namedFiles } from '../config-files.ts';
import type { CoordinatorHost } from '../coordinator-host.ts';
import { type Finding, fault, ok, warning } from '../finding.ts';

export interface FileFacts extends NamedFile {
  /** The permission bits. Null: the file is not there, or its folder cannot be read. */
  readonly mode: number | null;
}

const octal = (mode: number): string => mode.toString(8).padStart(4, '0');

/**
 * Whether the files that the configuration names are there, and who can read or change them. Pure.
 */
export function judgeFiles(files: readonly FileFacts[]): readonly Finding[] {
  const findings = files.flatMap(({ field, path, isSecret, mode }): Finding[] => {
    if (mode === null)
      return [fault(`${path} (${field}) is not there or cannot be read`, `write it, or correct ${field}`)];
    if (isSecret && (mode & 0o077) !== 0)
      return [
        fault(`${path} (${field}) has mode ${octal(mode)}: others can read it`, 'nobody else may', `chmod 600 ${path}`),
      ];
    if ((mode & 0o022) !== 0)
      return [
        warning(
          `${path} (${field}) has mode ${octal(mode)}: others can change it`,
          'nobody else may',
          `chmod go-w ${path}`,
        ),
      ];
    return [];
  });
  return findings.length > 0 ? findings : [ok(`${files.length} files are there, with narrow modes`)];
}

function modeOf(path: string): number | null {
  try {
    return statSync(path).mode & 0o777;
  } catch {
    return null;
  }
}

export const files = check(
  'files',
  ({ configPath, config }: CoordinatorHost) =>
    [{ field: '--config', path: configPath, isSecret: false }, ...namedFiles(config)].map((one) => ({
      ...one,
      mode: modeOf(one.path),
    })),
  judgeFiles,
);
