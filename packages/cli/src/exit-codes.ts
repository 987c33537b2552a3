import { isOperationError } from '@understudy/shared';

/**
 * Codes of sysexits(3) where one fits. They are documented in `docs/cli.md` and in `understudy
 * --help`.
 */
export const EXIT = {
  ok: 0,
  /** The command ran, and its answer is no: a demo with a violation, or an unknown member. */
  failed: 1,
  /**
   * `status`: something is going on (a recovery, or a member that is not known to be alive), and
   * nobody has to do anything. `doctor`: a warning.
   */
  underWay: 2,
  /**
   * `status`: there is a hold or a problem. The text says what a person has to do. `doctor`: a
   * fault.
   */
  needsPerson: 3,
  /** `status`: there is no leader, or etcd does not answer the coordinator that was asked. */
  leaderless: 4,
  /** `wait`: its time is over, and what it waits for is still not so. Everything goes on. */
  timeOver: 6,
  usage: 64,
  /** There was no answer: coordinator or etcd not reachable. */
  unavailable: 69,
  software: 70,
  /**
   * Standard output cannot be written. The code is 141 where its reader is gone (see
   * `endWithOutput`).
   */
  output: 74,
  config: 78,
} as const;

export type ExitName = keyof typeof EXIT;

const MEANS: Readonly<Record<ExitName, string>> = {
  ok: 'done; status: all is well',
  failed: 'the answer is no (no such member), or nothing was done',
  underWay: 'something is going on, and nobody is needed; doctor: a warning',
  needsPerson: 'a hold or a problem: somebody is needed; doctor: a fault',
  leaderless: 'nobody leads, or etcd does not answer',
  timeOver: 'the time is over, and what was waited for is not so yet; everything goes on',
  usage: 'wrong usage',
  unavailable: 'nobody answers',
  software: 'a bug',
  output: 'standard output cannot be written',
  config: 'configuration, key or token file refused',
};

/** Every exit code with its meaning, in the order of the codes. */
export const EXIT_MEANINGS = Object.fromEntries(
  Object.entries(EXIT).map(([name, code]) => [name, { code, means: MEANS[name as ExitName] }]),
) as Readonly<Record<ExitName, { readonly code: number; readonly means: string }>>;

/** The exit code for a thrown error. */
export function exitCodeOf(error: unknown): number {
  if (!isOperationError(error)) return EXIT.software;
  switch (error.code) {
    case 'CONFIG_INVALID':
    case 'STORE_TOO_OLD':
    case 'KEY_INVALID':
      return EXIT.config;
    case 'STORE_UNAVAILABLE':
    case 'COORDINATOR_UNAVAILABLE':
    case 'NOT_A_COORDINATOR':
    case 'CLOUD_UNAVAILABLE':
      return EXIT.unavailable;
    default:
      return EXIT.failed;
  }
}

/** The command ends with this code, and the person has been told why. */
export class EndingTold extends Error {
  readonly exitCode: number;

  constructor(exitCode: number, text: string) {
    super(text);
    this.name = 'EndingTold';
    this.exitCode = exitCode;
  }
}
