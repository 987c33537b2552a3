import { isOperationError } from '@understudy/shared';

/** sysexits(3) where one fits. Documented in the README of this package and in `understudy --help`. */
export const EXIT = {
  ok: 0,
  /** The command ran and its answer is no: a demo with a violation, a member that does not exist. */
  failed: 1,
  usage: 64,
  /** Nobody answered: coordinator or etcd not reachable. */
  unavailable: 69,
  software: 70,
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
    case 'CLOUD_UNAVAILABLE':
      return EXIT.unavailable;
    default:
      return EXIT.failed;
  }
}
