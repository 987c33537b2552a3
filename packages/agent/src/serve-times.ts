interface ServeTimes {
  readonly stopWithinMs: number;
  readonly watchdog?: { readonly timeoutMs: number } | undefined;
}

interface ActivationTimes {
  readonly timeoutMs: number;
  readonly onDeactivate?: readonly string[] | undefined;
  readonly systemdTarget?: string | undefined;
}

/**
 * Periods the watchdog may take to strike: its own; one more when this process was stopped between
 * deciding to pet and petting; and one when it dies, because Linux pets a watchdog whose file is
 * closed without being disarmed (`watchdog_release` in drivers/watchdog/watchdog_dev.c).
 */
export const WATCHDOG_PERIODS = 3;

/**
 * A hook may read the activation file, so the file goes first. A file that cannot be written delays
 * the hook no longer than this, in ms.
 */
export const FILE_FIRST_MS = 2_000;
/** Between SIGTERM and SIGKILL of a hook, and from there to leaving it alone, in ms. */
export const HOOK_GRACE_MS = 2_000;
/** Time of one `systemctl` command, which only queues or asks, in ms. Then it is ended. */
export const SYSTEMCTL_MS = 4_000;
/** Between SIGTERM and SIGKILL of such a command, and from there to leaving it alone, in ms. */
export const SYSTEMCTL_GRACE_MS = 500;
/** Time that killed workloads get to be gone, in ms. */
export const KILL_MS = 5_000;
/** A command begun right before the last deadline ends this much after it, in ms. */
const LAST_COMMAND_MS = SYSTEMCTL_MS + 2 * SYSTEMCTL_GRACE_MS;

/**
 * Before a withdrawal tells anybody: a command that starts the workload is ended, then the file is
 * waited for. In ms.
 */
const BEFORE_MS = 2 * HOOK_GRACE_MS + FILE_FIRST_MS;

/** The withdrawal's part of `stopWithinMs`: the rest after the watchdog's own time. In ms. */
export const withdrawMsOf = ({ serve }: { readonly serve: ServeTimes }): number =>
  serve.stopWithinMs - WATCHDOG_PERIODS * (serve.watchdog?.timeoutMs ?? 0);

/**
 * Longest time of each part of one withdrawal, in ms: `before` is what passes until anything is
 * told; `hook` is `onDeactivate` and its killing; `target` is the orderly stop, the kill after it,
 * and the last command's own time. Hook and target are absent where not configured.
 */
export function withdrawalParts(activation: ActivationTimes): {
  readonly before: number;
  readonly hook?: number;
  readonly target?: number;
} {
  const { timeoutMs, onDeactivate, systemdTarget } = activation;
  return {
    before: BEFORE_MS,
    ...(onDeactivate === undefined ? {} : { hook: timeoutMs + 2 * HOOK_GRACE_MS }),
    ...(systemdTarget === undefined ? {} : { target: timeoutMs + KILL_MS + LAST_COMMAND_MS }),
  };
}
