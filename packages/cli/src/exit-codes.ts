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
   * nobody has to do anything.
   */
  underWay: 2,
  /** `status`: there is a hold or a problem. The text says what a person has to do. */
  needsPerson: 3,
  /** `status`: there is no leader, or etcd does not answer the coordinator that was asked. */
  leaderless: 4,
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
