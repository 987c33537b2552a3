import { type Clock, errorText, type Log, type Random } from '@understudy/shared';
import { link, mkdir, readdir, readFile, stat, unlink, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { claimText, isHeld, type LockClaim, type LockHolder, parseClaim, sameClaim } from '../core/lock-claim.ts';
import type { AgentLock } from '../epoch-keeper.ts';
import { sightingOf } from './process-sighting.ts';

export interface LockFilesParts {
  /** Paths without the number: `…/agent.lock` is kept as `…/agent.lock.1`, `.2` … */
  readonly paths: readonly string[];
  readonly claim: LockClaim;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

interface Found {
  readonly number: number;
  readonly claim: LockClaim | null;
  readonly held: boolean;
}

/** How often a claim is touched, for processes that cannot see ours. In ms. */
const TOUCH_EVERY_MS = 2_000;
/** How long a claim that only its freshness vouches for is watched before it is believed. In ms. */
const LOOK_AGAIN_MS = 500;
/**
 * A disk that hangs must not keep the heartbeats from starting. After this time the agent goes on
 * without this lock. In ms.
 */
const ACQUIRE_LIMIT_MS = 12_000;
/** Number of looks. It covers more time than a claim is fresh, and less than the limit. */
const TRIES_MAX = 16;

/**
 * One agent per path, by files that name their owner (pid, start time, boot, pid namespace). A
 * claim appears whole (`link`), and counts once its maker has looked and seen no other that is
 * held. So of two that come at once, at least one sees the other. The next number passes over a
 * dead owner's claim. The greatest number is never removed, so that a starter that was paused in
 * between cannot mistake a new claim for the dead one it saw.
 */
export class LockFiles implements AgentLock {
  readonly #parts: LockFilesParts;
  readonly #owned = new Map<string, number>();
  #stopped = false;
  #touching = false;

  constructor(parts: LockFilesParts) {
    this.#parts = parts;
  }

  /**
   * The holder of one of the locks. Null: they are ours, except those that cannot be had here (told
   * in the log). Never rejects.
   */
  async acquire(): Promise<LockHolder | null> {
    for (const path of this.#parts.paths) {
      const holder = await this.#within(path, () => this.#take(path));
      if (holder) return holder;
    }
    this.#keepFresh();
    return null;
  }

  async lostTo(): Promise<LockHolder | null> {
    for (const path of this.#parts.paths) {
      const holder = await this.#within(path, () => this.#newerThanOurs(path));
      if (holder) return holder;
    }
    return null;
  }

  /** Gives the locks up. The claims stay, and belong to nobody from now on. */
  async release(): Promise<void> {
    this.#stopped = true;
    for (const [path, number] of this.#owned) await utimes(fileOf(path, number), 0, 0).catch(() => undefined);
  }

  async #within(path: string, look: () => Promise<LockHolder | null>): Promise<LockHolder | null> {
    const { clock, log } = this.#parts;
    const done = new AbortController();
    const limit = clock.sleep(ACQUIRE_LIMIT_MS, done.signal).catch(() => undefined);
    const late = limit.then(() => {
      throw new Error(`no end after ${ACQUIRE_LIMIT_MS} ms`);
    });
    late.catch(() => undefined);
    try {
      return await Promise.race([look(), late]);
    } catch (error) {
      log.error('agent.lock.unavailable', { lock: path, error: errorText(error), remedy: UNAVAILABLE });
      return null;
    } finally {
      done.abort();
    }
  }

  async #take(path: string): Promise<LockHolder | null> {
    await mkdir(dirname(path), { recursive: true });
    let holder: LockHolder | null = null;
    for (let attempt = 0; attempt < TRIES_MAX; attempt++) {
      const { others, mine, number } = await this.#look(path);
      const held = others.find((one) => one.held);
      holder = held?.claim ? { pid: held.claim.pid, where: fileOf(path, held.number) } : null;
      if (!held && mine !== null) return this.#keep(path, mine, others);
      if (held && mine !== null) await unlink(fileOf(path, mine));
      // A holder that we can see, in our own pid namespace, is there to stay. One in another
      // namespace may have ended and only still look fresh.
      if (held && mine === null && held.claim?.pidNamespace === this.#parts.claim.pidNamespace) return holder;
      if (held) await this.#parts.clock.sleep(LOOK_AGAIN_MS * (mine === null ? 1 : this.#parts.random.next()));
      else await this.#claim(path, number);
    }
    return holder;
  }

  async #keep(path: string, mine: number, others: readonly Found[]): Promise<null> {
    this.#owned.set(path, mine);
    for (const { number } of others) if (number < mine) await unlink(fileOf(path, number)).catch(() => undefined);
    return null;
  }

  /** EEXIST: another process took that number. The next look shows which. */
  async #claim(path: string, number: number): Promise<void> {
    const { claim } = this.#parts;
    const beside = `${path}.of-${claim.pid}`;
    await writeFile(beside, claimText(claim), { mode: 0o644 });
    try {
      await link(beside, fileOf(path, number));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    } finally {
      await unlink(beside).catch(() => undefined);
    }
  }

  /** All claims on this path. `number` is the next one to try. */
  async #look(path: string): Promise<{ others: Found[]; mine: number | null; number: number }> {
    const prefix = `${path.slice(dirname(path).length + 1)}.`;
    const names = await readdir(dirname(path));
    const numbers = names
      .filter((name) => name.startsWith(prefix) && /^\d{1,9}$/.test(name.slice(prefix.length)))
      .map((name) => Number(name.slice(prefix.length)));
    const found = await Promise.all(numbers.map((number) => this.#read(path, number)));
    const mine = found.find(({ claim }) => claim !== null && sameClaim(claim, this.#parts.claim))?.number ?? null;
    return { others: found.filter(({ number }) => number !== mine), mine, number: Math.max(0, ...numbers) + 1 };
  }

  async #read(path: string, number: number): Promise<Found> {
    const file = fileOf(path, number);
    try {
      const claim = parseClaim(await readFile(file, 'utf8'));
      const ageMs = this.#parts.clock.wallMs() - (await stat(file)).mtimeMs;
      return { number, claim, held: claim !== null && isHeld(claim, await sightingOf(claim.pid), ageMs) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      return { number, claim: null, held: false };
    }
  }

  /**
   * The agent that passed over our claim, or null. One that is about to see ours and withdraw is
   * gone at the second look.
   */
  async #newerThanOurs(path: string): Promise<LockHolder | null> {
    const own = this.#owned.get(path);
    if (own === undefined) return null;
    const first = await this.#look(path);
    if (first.mine === null) return this.#take(path);
    if (!first.others.some(({ number, held }) => held && number > own)) return null;
    await this.#parts.clock.sleep(LOOK_AGAIN_MS);
    const still = (await this.#look(path)).others.find(({ number, held }) => held && number > own);
    return still?.claim ? { pid: still.claim.pid, where: fileOf(path, still.number) } : null;
  }

  #keepFresh(): void {
    if (this.#stopped) return;
    this.#parts.clock.setTimer(TOUCH_EVERY_MS, () => this.#keepFresh());
    if (this.#touching) return;
    this.#touching = true;
    void this.#touch().finally(() => {
      this.#touching = false;
    });
  }

  /** One after the other: a disk that hangs holds one thread of the pool here, not one a lock. */
  async #touch(): Promise<void> {
    const now = this.#parts.clock.wallMs() / 1000;
    for (const [path, number] of this.#owned) await utimes(fileOf(path, number), now, now).catch(() => undefined);
  }
}

const UNAVAILABLE = 'a second agent would not be refused by this lock; make its folder writable for the agent';

const fileOf = (path: string, number: number): string =>
  join(dirname(path), `${path.slice(dirname(path).length + 1)}.${number}`);
