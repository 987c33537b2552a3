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

/** Time of one `systemctl` command, which only queues or asks, in ms. Then it is ended. */
export const SYSTEMCTL_MS = 4_000;
/** Between SIGTERM and SIGKILL of such a command, and from there to leaving it alone, in ms. */
export const SYSTEMCTL_GRACE_MS = 500;
/** Time that killed workloads get to be gone, in ms. */
export const KILL_MS = 5_000;
/** A command begun right before the last deadline ends this much after it, in ms. */
const LAST_COMMAND_MS = SYSTEMCTL_MS + 2 * SYSTEMCTL_GRACE_MS;

/** The hook's part of `stopWithinMs`: the rest after the watchdog's own time. In ms. */
export const withdrawMsOf = ({ serve }: { readonly serve: ServeTimes }): number =>
  serve.stopWithinMs - WATCHDOG_PERIODS * (serve.watchdog?.timeoutMs ?? 0);

/**
 * Longest time of each part of one withdrawal, in ms: `hook` is `onDeactivate`; `target` is the
 * orderly stop, the kill after it, and the last command's own time. Absent where not configured.
 */
export function withdrawalParts(activation: ActivationTimes): { readonly hook?: number; readonly target?: number } {
  const { timeoutMs, onDeactivate, systemdTarget } = activation;
  return {
    ...(onDeactivate === undefined ? {} : { hook: timeoutMs }),
    ...(systemdTarget === undefined ? {} : { target: timeoutMs + KILL_MS + LAST_COMMAND_MS }),
  };
}
