import type { CommitOutcome, GuardedWrite, Term } from '@understudy/coordinator';
import type { Cloud } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { checkFinished, checkSafety } from './checks.ts';
import { Scene, type Wrapping } from './scene.ts';

/** Stops an engine in front of its nth mutating call or commit, as SIGSTOP would, until it is let go; its deadline still looks good to it. */
class PausePoint {
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
    };
  }
}

async function pauseAt(at: number, noCapacity: boolean): Promise<{ names: readonly string[]; reached: boolean }> {
  const scene = new Scene({ policy: { maxLaunchAttempts: 5 } });
  const { subnets } = scene.sim.defaultWorld;
  scene.policy.placements.push(...['us-east-1a', 'us-east-1b'].map((az) => ({ subnetId: subnets[az] ?? '' })));
  const old = scene.seedMember();
  await scene.begin(old);
  const pause = new PausePoint(at);
  const first = scene.lead(pause.wrapping());
  const run = first.engine.run(scene.intent(), pause.term(first.term));
  await scene.clock.runUntilSettled(Promise.race([pause.reached, run]));
  const reached = pause.paused;
  // The successor meets a zone without capacity, so it revokes what the paused one is about to use; later there is room again.
  if (noCapacity) scene.sim.setCapacity('us-east-1a', 't3.micro', 0);
  const second = scene.lead();
  const open = scene.kv.entries('/understudy/v1/intents/').length > 0;
  if (open) expect(await scene.run(second, scene.intent())).toBe('finished');
  scene.sim.setCapacity('us-east-1a', 't3.micro', null);
  await scene.clock.advance(3_600_000);
  const before = checkFinished(scene, old);
  pause.letGo();
  const outcome = await scene.clock.runUntilSettled(run);
  if (open) expect(outcome, pause.names[at]).toBe('parked');
  await scene.clock.advance(300_000);
  checkSafety(scene, old);
  expect(checkFinished(scene, old)).toBe(before);
  return { names: pause.names, reached };
}

describe.each([
  { name: 'the successor goes on where it was', noCapacity: false },
  { name: 'the successor finds no capacity there', noCapacity: true },
])('a leader paused for an hour, then let go: $name', ({ noCapacity }) => {
  test('does nothing harmful at any point and steps down', { timeout: 120_000 }, async () => {
    let cases = 0;
    for (let at = 0; ; at += 1) {
      let paused: { names: readonly string[]; reached: boolean };
      try {
        paused = await pauseAt(at, noCapacity);
      } catch (cause) {
        throw new Error(`paused at ${at}`, { cause });
      }
      if (!paused.reached) break;
      cases += 1;
    }
    console.log(`paused leaders: ${cases} points`);
    expect(cases).toBeGreaterThan(20);
  });
});
