import { errorText } from '@understudy/shared';
import { closeSync, constants, openSync, readFileSync, writeSync } from 'node:fs';
import type { Watchdog } from '../watchdog-keeper.ts';

export interface WatchdogPaths {
  /** `/dev/watchdog` or `/dev/watchdog0`. */
  readonly device: string;
  /**
   * `/sys/class/watchdog/watchdog0/timeout`: the seconds after which it resets the machine unless
   * petted.
   */
  readonly timeoutFile: string;
}

const tooLong = (timeoutMs: number, limitMs: number): string =>
  `it resets after ${timeoutMs} ms, serve.watchdog.timeoutMs is ${limitMs}: give it a shorter time (modprobe softdog soft_margin=${Math.floor(limitMs / 1_000)}), or raise that`;

/** The kernel's "magic close": a `V` right before the close disarms; any other close does not. */
const MAGIC_CLOSE = 'V';
const PET = '\0';

/**
 * Linux's watchdog device (kernel documentation, watchdog-api). Opening arms it; any write pets it.
 * It is written synchronously and without blocking: a thread pool whose threads all wait for a hung
 * disk must not cost the machine.
 */
export function watchdogDevice({ device, timeoutFile }: WatchdogPaths): Watchdog {
  /** Kept once it is open, whatever fails then: the watchdog runs, and we have to pet it. */
  let descriptor: number | null = null;
  const write = (text: string) => {
    if (descriptor !== null) writeSync(descriptor, text);
  };
  return {
    arm(limitMs) {
      try {
        const timeoutMs = Number.parseInt(readFileSync(timeoutFile, 'utf8'), 10) * 1_000;
        if (!(timeoutMs > 0)) return { kind: 'not-armed', detail: `${timeoutFile} holds no number of seconds` };
        if (timeoutMs > limitMs) return { kind: 'not-armed', detail: tooLong(timeoutMs, limitMs) };
        descriptor ??= openSync(device, constants.O_WRONLY | constants.O_NONBLOCK);
        write(PET);
        return { kind: 'armed' };
      } catch (error) {
        return { kind: 'not-armed', detail: `${errorText(error)} (is the module loaded? modprobe softdog)` };
      }
    },
    pet: () => write(PET),
    disarm() {
      if (descriptor === null) return;
      try {
        write(MAGIC_CLOSE);
      } finally {
        closeSync(descriptor);
        descriptor = null;
      }
    },
  };
}
