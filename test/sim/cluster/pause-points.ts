import type { ProcessClock } from '../kernel/process-clock.ts';

/**
 * `kv.txn`, `kv.grantLease`, `ec2.RunInstances` …; a prefix (`ec2.`) stands for all that begin with
 * it.
 */
export type CallName = string;

interface Armed {
  readonly call: CallName;
  readonly forMs: number;
  left: number;
  readonly onPause: () => void;
}

/**
 * Where a process can be stopped between deciding to send something and sending it: after every
 * check it makes, however late. Pauses at all other awaits are ordinary pauses: whatever a process
 * waits for reaches it through its clock.
 */
export class PausePoints {
  readonly #clock: ProcessClock;
  readonly #pauseFor: (forMs: number) => void;
  #armed: Armed[] = [];

  constructor(clock: ProcessClock, pauseFor: (forMs: number) => void) {
    this.#clock = clock;
    this.#pauseFor = pauseFor;
  }

  /**
   * The `nth` call of that name from now on (from 1) finds the process stopped for `forMs` before
   * it leaves.
   */
  arm(call: CallName, nth: number, forMs: number, onPause: () => void): void {
    this.#armed.push({ call, forMs, left: nth, onPause });
  }

  disarm(): void {
    this.#armed = [];
  }

  /** Sends at once, or after the pause. */
  pass<T>(call: CallName, send: () => Promise<T>): Promise<T> {
    const due = this.#takeDue(call);
    if (!due) return send();
    due.onPause();
    this.#pauseFor(due.forMs);
    return new Promise((resolve, reject) => {
      this.#clock.post(() => {
        send().then(resolve, reject);
      });
    });
  }

  #takeDue(call: CallName): Armed | undefined {
    if (this.#armed.length === 0) return undefined;
    for (const one of this.#armed) if (call.startsWith(one.call)) one.left -= 1;
    const due = this.#armed.find((one) => one.left <= 0);
    if (due) this.#armed = this.#armed.filter((one) => one !== due);
    return due;
  }
}
