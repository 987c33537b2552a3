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

/** The hook's part of `stopWithinMs`: the rest after the watchdog's own time. In ms. */
export const withdrawMsOf = ({ serve }: { readonly serve: ServeTimes }): number =>
  serve.stopWithinMs - WATCHDOG_PERIODS * (serve.watchdog?.timeoutMs ?? 0);
