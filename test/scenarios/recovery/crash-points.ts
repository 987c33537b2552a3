import type { CommitOutcome, GuardedWrite, KvStore, Term } from '@understudy/shared';
import type { Wrapping } from './recovery-fixture.ts';

/**
 * `before`: killed before the call leaves. `no-reply`: it is sent, the reply never arrives.
 * `not-recorded`: the reply arrives, and the process dies before the next write. `recorded`: it
 * dies right after the next write has been committed.
 */
export type CrashMode = 'before' | 'no-reply' | 'not-recorded' | 'recorded';

export interface Point {
  readonly kind: 'call' | 'read' | 'commit';
  readonly name: string;
}

/** Reads of {@link RemoteCommands}. */
const COMMAND_READS: ReadonlySet<string> = new Set(['find', 'invocation', 'managed']);

const never = <T>(): Promise<T> => new Promise<T>(() => undefined);

/**
 * Counts every cloud call and every commit of an engine and, where asked, kills the engine at one
 * of them: nothing it does afterwards happens.
 */
export class CrashMonitor {
  readonly points: Point[] = [];
  readonly #at: number;
  readonly #mode: CrashMode | null;
  dead = false;
  #diesAfterNextCommit = false;
  readonly died: Promise<void>;
  #onDeath: () => void = () => undefined;

  constructor(at = -1, mode: CrashMode | null = null) {
    this.#at = at;
    this.#mode = mode;
    this.died = new Promise((resolve) => {
      this.#onDeath = resolve;
    });
  }

  #die(): void {
    this.dead = true;
    this.#onDeath();
  }

  async #pass<T>(point: Point, run: () => Promise<T>): Promise<T> {
    if (this.dead) return never();
    const index = this.points.push(point) - 1;
    const mode = index === this.#at ? this.#mode : null;
    if (mode === 'before') {
      this.#die();
      return never();
    }
    const work = run();
    if (mode === 'no-reply') {
      if (point.kind === 'commit') await work;
      else work.catch(() => undefined);
      this.#die();
      return never();
    }
    // An error is a reply too.
    const [reply] = await Promise.allSettled([work]);
    if (this.dead) return never();
    if (mode === 'not-recorded') this.#die();
    if (mode === 'recorded') this.#diesAfterNextCommit = true;
    else if (point.kind === 'commit' && this.#diesAfterNextCommit) this.#die();
    if (reply.status === 'rejected') throw reply.reason;
    return reply.value;
  }

  wrapping(): Wrapping {
    return {
      cloud: (cloud) => this.#port(cloud),
      runHook:
        (runHook) =>
        (...args) =>
          this.#pass({ kind: 'call', name: 'runHook' }, () => runHook(...args)),
      commands: (commands) => this.#port(commands),
      dns: (dns) => this.#port(dns),
      targetGroups: (targetGroups) => this.#port(targetGroups),
      kv: (kv) => this.#kv(kv),
    };
  }

  #port<T extends object>(port: T): T {
    return new Proxy(port, {
      get: (target, name) => {
        const method: unknown = Reflect.get(target, name);
        if (typeof method !== 'function' || typeof name !== 'string') return method;
        const kind = name.startsWith('describe') || COMMAND_READS.has(name) ? 'read' : 'call';
        return (...args: unknown[]) => this.#pass({ kind, name }, () => Reflect.apply(method, target, args));
      },
    });
  }

  #kv(kv: KvStore): KvStore {
    return new Proxy(kv, {
      get: (target, name) => {
        const method: unknown = Reflect.get(target, name);
        if (typeof method !== 'function') return method;
        return (...args: unknown[]) => (this.dead ? never() : Reflect.apply(method, target, args));
      },
    });
  }

  term(term: Term): Term {
    return {
      number: term.number,
      coordinatorId: term.coordinatorId,
      signal: term.signal,
      holdsFor: (neededMs) => term.holdsFor(neededMs),
      remainingMs: () => term.remainingMs(),
      commit: (write: GuardedWrite): Promise<CommitOutcome> =>
        this.#pass({ kind: 'commit', name: nameOf(write) }, () => term.commit(write)),
      remove: (deletes) =>
        this.#pass({ kind: 'commit', name: `remove ${areaOf(deletes[0].key)}` }, () => term.remove(deletes)),
    };
  }
}

const areaOf = (key: string): string => key.split('/')[3] ?? key;

/** `journal/launch-1 started`, `history`, `holds` … */
function nameOf(write: GuardedWrite): string {
  const [put] = write.puts;
  const record = put.record as { readonly step?: string; readonly state?: string };
  return record.step ? `${record.step} ${record.state}` : areaOf(put.key);
}

/**
 * Where to crash: every mutating call in all modes, every commit before, after with the reply lost,
 * and after; and before the first and the last read of each run of equal reads (a poll).
 */
export function crashMatrix(points: readonly Point[]): readonly { readonly at: number; readonly mode: CrashMode }[] {
  return points.flatMap((point, at) => {
    const modes = (): readonly CrashMode[] => {
      if (point.kind === 'call') return ['before', 'no-reply', 'not-recorded', 'recorded'];
      if (point.kind === 'commit') return ['before', 'no-reply', 'not-recorded'];
      const same = points[at - 1]?.name === point.name && points[at + 1]?.name === point.name;
      return same ? [] : ['before'];
    };
    return modes().map((mode) => ({ at, mode }));
  });
}

/**
 * Checks what follows from each crash, one after the other. A failure names its point, with the
 * failed check as the cause.
 */
export async function atEachCrash(
  points: readonly Point[],
  crashes: ReturnType<typeof crashMatrix>,
  check: (crash: { readonly at: number; readonly mode: CrashMode }, index: number) => Promise<void>,
): Promise<void> {
  for (const [index, { at, mode }] of crashes.entries()) {
    const point = points[at];
    try {
      await check({ at, mode }, index);
    } catch (cause) {
      throw new Error(`point ${at} (${point?.kind} ${point?.name}), ${mode}`, { cause });
    }
  }
}
