import { globSync } from 'node:fs';
import { dirname, join, matchesGlob } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

/**
 * Files that are mutated together, and the tests that are to notice: those beside them, and the
 * scenarios that exist for them. Globs are from the project's root.
 */
export interface Room {
  readonly name: string;
  readonly files: readonly string[];
  readonly tests: readonly string[];
  /** Tests of the room that are left out, because they take long. */
  readonly slow?: readonly string[];
}

const C = 'packages/coordinator/src';
const A = 'packages/agent/src';
const R = 'packages/recovery/src';
const O = 'packages/observer/src';
const TERM = 'packages/shared/src/term';
/** How often each part asks. Recovery asks most. */
const PACING = ['packages/shared/src/backoff.ts', 'packages/shared/src/token-bucket.ts'];

/**
 * The safety core. A file belongs to the first room that has it. The tests of a room take a minute
 * or two at most, once. What the whole suite would find beyond them (crash matrix, simulation, real
 * processes) is no excuse for a rule that no test near it defends.
 */
export const ROOMS: readonly Room[] = [
  {
    name: 'agent',
    files: [`${A}/core/*.ts`, `${A}/activation-applier.ts`, `${A}/watchdog-keeper.ts`],
    tests: [`${A}/**/*.test.ts`],
  },
  {
    name: 'leases',
    files: [`${R}/core/serve-lease/*.ts`, `${C}/observing/activation-answers.ts`, `${R}/steps/serve-lease-fence.ts`],
    tests: [
      `${R}/core/serve-lease/*.test.ts`,
      `${C}/{api,observing}/*.test.ts`,
      `${R}/steps/serve-lease-fence.test.ts`,
      'test/scenarios/recovery/waiting-out-a-lease.test.ts',
    ],
  },
  {
    name: 'recovery-core',
    files: [`${R}/core/*.ts`, `${R}/core/fidelity/*.ts`, ...PACING],
    tests: [
      `${R}/core/*.test.ts`,
      // The test of docs/fidelity.md compares a page: every change of a row changes that.
      `${R}/core/fidelity/carried.test.ts`,
      `${R}/core/fidelity/table.test.ts`,
      ...PACING.map((file) => file.replace('.ts', '.test.ts')),
    ],
  },
  {
    name: 'leadership',
    files: [`${C}/{leadership,store}/*.ts`, `${C}/observing/*.ts`, `${TERM}/*.ts`],
    tests: [`${C}/{leadership,store,observing}/*.test.ts`, `${TERM}/*.test.ts`],
    slow: ['**/random-faults.test.ts'],
  },
  {
    name: 'observe',
    files: [`${O}/core/*.ts`],
    tests: [`${O}/core/*.test.ts`],
    // These are statistics of a thousand crashes and forty agent-hours.
    slow: ['**/detection.test.ts'],
  },
  {
    name: 'enrol',
    files: [`${C}/{enrol,policy}/*.ts`, `${R}/core/user-data/*.ts`],
    tests: [`${C}/{enrol,policy}/*.test.ts`, `${R}/core/user-data/*.test.ts`],
  },
  {
    name: 'judge',
    files: [`${C}/judge/*.ts`],
    tests: [`${C}/judge/*.test.ts`],
    // It tries every combination of everything, which takes many seconds for each survivor. The
    // rules have tests of their own.
    slow: ['**/verdict-oracle.test.ts'],
  },
  {
    name: 'recovery-steps',
    files: [`${R}/steps/*.ts`],
    tests: [`${R}/steps/*.test.ts`],
  },
  {
    name: 'recovery',
    files: [`${R}/**/*.ts`],
    tests: [`${R}/**/*.test.ts`, 'test/scenarios/recovery/*.test.ts'],
    slow: [
      '**/crash-matrix.test.ts',
      '**/ways-out-crashes.test.ts',
      '**/random-faults.test.ts',
      '**/paused-leader.test.ts',
      '**/half-*.test.ts',
    ],
  },
  {
    name: 'leader',
    files: [`${C}/{leader,api,serve-lease,metrics}/**/*.ts`],
    tests: [`${C}/{leader,api,serve-lease,metrics}/**/*.test.ts`, 'test/scenarios/coordinator/*.test.ts'],
  },
];

const NO_SUBJECT = /\.(?:test|fixtures?)\.ts$|\.d\.ts$|\/index\.ts$/;

/** Sources that fit the globs, below the root, sorted. Tests and fixtures are left out. */
export const sourcesOf = (globs: readonly string[]): readonly string[] =>
  globs
    .flatMap((glob) => globSync(glob, { cwd: ROOT }))
    .filter((file) => !NO_SUBJECT.test(file))
    .sort();

/** The room a file is mutated in. Null: none, because its tests are not known here. */
export const roomOf = (file: string): Room | null =>
  ROOMS.find((room) => room.files.some((glob) => matchesGlob(file, glob)) && !NO_SUBJECT.test(file)) ?? null;

/** A share of the rooms: the files of each that are mutated. */
export type Scope = ReadonlyMap<Room, readonly string[]>;

export function scopeOf(files: readonly string[]): { readonly scope: Scope; readonly homeless: readonly string[] } {
  const homeless = files.filter((file) => roomOf(file) === null);
  const scope = new Map<Room, readonly string[]>();
  for (const room of ROOMS) {
    const own = files.filter((file) => roomOf(file) === room);
    if (own.length > 0) scope.set(room, own);
  }
  return { scope, homeless };
}
