import { versions } from './0001-versions.ts';
import type { Migration } from './migration.ts';

/** Every step of the schema, in order. A new one is a file here and a line. */
export const MIGRATIONS: readonly Migration[] = [versions];
