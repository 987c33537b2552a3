import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const LIBRARIES = '/usr/lib';

/** Path of Debian's libfaketime (package `faketime`), or null. */
export function faketimeLibrary(): string | null {
  if (!existsSync(LIBRARIES)) return null;
  const found = readdirSync(LIBRARIES)
    .map((name) => join(LIBRARIES, name, 'faketime', 'libfaketimeMT.so.1'))
    .find((path) => existsSync(path));
  return found ?? null;
}

/**
 * Environment under which a process reads its wall clock through the file; its monotonic clock
 * stays the kernel's.
 */
export const clockEnvironment = (library: string, file: string): Readonly<Record<string, string>> => ({
  LD_PRELOAD: library,
  FAKETIME_TIMESTAMP_FILE: file,
  FAKETIME_DONT_FAKE_MONOTONIC: '1',
  DONT_FAKE_MONOTONIC: '1',
  // Seconds between two looks at the file.
  FAKETIME_CACHE_DURATION: '1',
});

/** Steps the wall clock of the process that reads this file, against the real one. */
export const stepClock = (file: string, offsetS: number): void =>
  writeFileSync(file, `${offsetS < 0 ? '' : '+'}${offsetS}s\n`);
