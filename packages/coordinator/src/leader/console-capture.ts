import { type Clock, type Cloud, errorText, isOperationError, type Log, type MemberId } from '@understudy/shared';
import type { Judgement } from './assessor.ts';

/** The last words of a machine, as EC2 had them when it was found dead. */
export interface CapturedConsole {
  readonly instanceId: string;
  readonly capturedAtWallMs: number;
  /** The end of it. */
  readonly text: string;
}

/** How much is kept of up to 64 KiB, in UTF-16 units. A kernel panic with its trace fits. */
const TAIL_MAX = 4_000;
/** The member whose capture is oldest is forgotten first. */
const MEMBERS_MAX = 200;
const AT_ONCE = 4;
const ATTEMPTS_MAX = 3;
const AGAIN_MS = 5_000;

interface Attempt {
  readonly instanceId: string;
  readonly count: number;
  readonly atMs: number;
}

/**
 * Takes the console output of whoever is found failed, once per instance, for people: in the log
 * and in `explain`. Beside the recovery, which neither waits for it nor needs it; EC2 keeps the
 * output after the fence, so a late try loses nothing.
 */
export class ConsoleCapture {
  readonly #cloud: Cloud;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #captured = new Map<MemberId, CapturedConsole>();
  /**
   * Members that are not captured yet. An entry goes with the capture, or when its member is
   * forgotten.
   */
  readonly #attempts = new Map<MemberId, Attempt>();
  #underWay = 0;

  constructor(options: { readonly cloud: Cloud; readonly clock: Clock; readonly log: Log }) {
    this.#cloud = options.cloud;
    this.#clock = options.clock;
    this.#log = options.log;
  }

  of(member: MemberId): CapturedConsole | null {
    return this.#captured.get(member) ?? null;
  }

  /** Cheap: asked on every tick about everybody who is failed. */
  wants({ member, instanceId }: Pick<Judgement, 'member' | 'instanceId'>): boolean {
    if (this.#captured.get(member)?.instanceId === instanceId) return false;
    const last = this.#attempts.get(member);
    if (last?.instanceId !== instanceId) return true;
    return last.count < ATTEMPTS_MAX && this.#clock.monotonicMs() - last.atMs >= AGAIN_MS;
  }

  /**
   * Call with every judgement that calls for action; resolves when nothing of it is under way.
   * Never throws.
   */
  async note(judgement: Pick<Judgement, 'member' | 'instanceId'>, signal: AbortSignal): Promise<void> {
    if (this.#underWay >= AT_ONCE || !this.wants(judgement)) return;
    const { member, instanceId } = judgement;
    const before = this.#attempts.get(member);
    const count = before?.instanceId === instanceId ? before.count + 1 : 1;
    bounded(this.#attempts, member, { instanceId, count, atMs: this.#clock.monotonicMs() });
    this.#underWay++;
    try {
      await this.#take(member, instanceId, signal);
    } catch (error) {
      this.#log.warn('console.not_captured', { member, instanceId, attempt: count, error: errorText(error) });
      if (!isOperationError(error)) throw error;
    } finally {
      this.#underWay--;
    }
  }

  async #take(member: MemberId, instanceId: string, signal: AbortSignal): Promise<void> {
    const output = await this.#cloud.consoleOutput(instanceId, { signal, urgency: 'chore' });
    const text = (output?.text ?? '').slice(-TAIL_MAX);
    const capturedAtWallMs = this.#clock.wallMs();
    bounded(this.#captured, member, { instanceId, capturedAtWallMs, text });
    this.#attempts.delete(member);
    this.#log.info('console.captured', { member, instanceId, text });
  }
}

/** Puts last, so that what was touched longest ago goes first. */
function bounded<T>(map: Map<MemberId, T>, member: MemberId, value: T): void {
  map.delete(member);
  map.set(member, value);
  if (map.size <= MEMBERS_MAX) return;
  for (const oldest of map.keys()) {
    map.delete(oldest);
    return;
  }
}
