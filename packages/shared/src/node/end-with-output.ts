/** Exit codes of a command whose output cannot be delivered. */
export const OUTPUT_EXIT = {
  /** The reader is gone (`| head -1`): 128 + SIGPIPE, as of any command. Nothing is said. */
  closed: 141,
  /**
   * sysexits(3) EX_IOERR: the output cannot be written (a full disk, `/dev/full`). One line goes to
   * stderr.
   */
  unwritable: 74,
} as const;

/** For commands that print and end. When standard output fails, there is nothing left to do. */
export function endWithOutput(name: string): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(OUTPUT_EXIT.closed);
    process.stderr.write(`${name}: standard output cannot be written: ${error.code ?? error.message}\n`);
    process.exit(OUTPUT_EXIT.unwritable);
  });
  tolerateLostErrors();
}

/** Ignores a lost reader of standard error, which is no reason to end differently. */
export function tolerateLostErrors(): void {
  process.stderr.on('error', () => undefined);
}
