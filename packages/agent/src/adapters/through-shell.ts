/**
 * How the agent starts every command of its config. `spawn` comes back only when the kernel has
 * loaded the program, so a program on a disk that hangs would stop the agent and its heartbeats
 * (measured: an exec held up for 5.7 s stopped the event loop for 5.7 s). A shell is in memory,
 * because it runs every few seconds. It is loaded at once and then waits for the disk in the
 * agent's place. Exit code 127: there is no such program (POSIX sh).
 */
export const throughShell = (command: readonly string[]): readonly string[] => [
  '/bin/sh',
  '-c',
  'exec "$@"',
  'understudy',
  ...command,
];

export const NO_SUCH_PROGRAM = 127;
