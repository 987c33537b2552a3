import type { Cloud, CommitOutcome, GuardedWrite, Term } from '@understudy/shared';
import type { Wrapping } from './recovery-fixture.ts';

/**
 * Stops an engine in front of its nth mutating call or commit, as SIGSTOP would, until it is let
 * go; its deadline still looks good to it.
 */
export class PausePoint {
  readonly names: string[] = [];
  readonly #at: number;
  readonly reached: Promise<void>;
  #onReached: () => void = () => undefined;
  #letGo: () => void = () => undefined;
  readonly #gate: Promise<void>;
  paused = false;

  constructor(at: number) {
    this.#at = at;
    this.reached = new Promise((resolve) => {
      this.#onReached = resolve;
    });
    this.#gate = new Promise((resolve) => {
      this.#letGo = resolve;
    });
  }

  async pass<T>(name: string, run: () => Promise<T>): Promise<T> {
    if (this.names.push(name) - 1 === this.#at) {
      this.paused = true;
      this.#onReached();
    }
    if (this.paused) await this.#gate;
    return run();
  }

  letGo(): void {
    this.paused = false;
    this.#letGo();
  }

  /** While paused nothing of it runs: reads wait as well. */
  wrapping(): Wrapping {
    return {
      cloud: (cloud: Cloud) =>
        new Proxy(cloud, {
          get: (target, name) => {
            const method: unknown = Reflect.get(target, name);
            if (typeof method !== 'function' || typeof name !== 'string') return method;
            return (...args: unknown[]) => {
              const run = () => Reflect.apply(method, target, args);
              if (!name.startsWith('describe')) return this.pass(name, run);
              return this.paused ? this.#gate.then(run) : run();
            };
          },
        }),
    };
  }

  term(term: Term): Term {
    return {
      number: term.number,
      coordinatorId: term.coordinatorId,
      signal: term.signal,
      holdsFor: () => !term.signal.aborted,
      remainingMs: () => (term.signal.aborted ? 0 : 8_400),
      commit: (write: GuardedWrite): Promise<CommitOutcome> =>
        this.pass(`commit ${write.puts[0].key.split('/').slice(3).join('/')}`, () => term.commit(write)),
      remove: (deletes) => this.pass(`remove ${deletes[0].key}`, () => term.remove(deletes)),
    };
  }
}
