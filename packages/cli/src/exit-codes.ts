import { isOperationError } from '@understudy/shared';

/** sysexits(3) where one fits. Documented in `docs/cli.md` and in `understudy --help`. */
export const EXIT = {
  ok: 0,
  /**
   * The command ran and its answer is no: a demo with a violation, a member that does not exist.
   */
  failed: 1,
  /**
   * `status`: something is going on (a recovery, a member that is not known to be alive), and
   * nobody has to do anything.
   */
  underWay: 2,
  /** `status`: a hold or a problem; the text says what somebody has to do. */
  needsPerson: 3,
  /** `status`: nobody leads, or etcd does not answer the coordinator that was asked. */
  leaderless: 4,
  usage: 64,
  /** Nobody answered: coordinator or etcd not reachable. */
  unavailable: 69,
  software: 70,
  /** Standard output cannot be written; 141 where its reader is gone. See `endWithOutput`. */
  output: 74,
  config: 78,
} as const;

/** What a thrown error means for the shell. */
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
