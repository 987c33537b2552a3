interface ServeTimes {
  readonly stopWithinMs: number;
  readonly watchdog?: { readonly timeoutMs: number } | undefined;
}

/**
 * Periods the watchdog may take to strike: its own; one more when this process was stopped between
 * deciding to pet and petting; and one when it dies, because Linux pets a watchdog whose file is
 * closed without being disarmed (`watchdog_release` in drivers/watchdog/watchdog_dev.c).
 */
export const WATCHDOG_PERIODS = 3;

/** What is left of `stopWithinMs` for the hook, the watchdog's own time taken off. ms */
export const withdrawMsOf = ({ serve }: { readonly serve: ServeTimes }): number =>
  serve.stopWithinMs - WATCHDOG_PERIODS * (serve.watchdog?.timeoutMs ?? 0);
