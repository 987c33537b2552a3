/**
 * Without new proof of the other agent for this long, there is one again. Longer = a fight that
 * pauses stays one hold; shorter = normal sooner. ms
 */
export const TWO_AGENTS_FOR_MS = 30_000;

/**
 * An authentic heartbeat of an older boot epoch came in for one row: an old recording, an agent
 * whose clock and state file went back, or a second agent. What is told in answer asks for a
 * challenge that was never told before, so whoever echoes it speaks now and holds the key.
 */
export interface Contest {
  readonly startedAtMs: number;
  readonly challengeHi: number;
  readonly challengeLo: number;
  /** The newest epoch when it began. */
  readonly incumbentHi: number;
  readonly incumbentLo: number;
  /** Whoever spoke with that epoch is proven to speak since. */
  incumbentHeard: boolean;
  /**
   * The other one has begun a newer epoch, and whoever spoke with the incumbent's has been told
   * since that it is stale.
   */
  taken: 'no' | 'by-one' | 'and-told';
  /**
   * When the challenge was last echoed by another one: from an older epoch, or at the beginning of
   * a newer.
   */
  provenAtMs: number;
  /**
   * The newest of an older epoch that echoed it: what is not newer is a recording of this very
   * contest.
   */
  echoed: Position;
  /** The newest of an older epoch, whatever it echoed. */
  seen: Position;
  readonly answeredAtMs: { newer: number; older: number };
}

const isOver = (contest: Contest, nowMs: number): boolean =>
  nowMs - Math.max(contest.startedAtMs, contest.provenAtMs) >= TWO_AGENTS_FOR_MS;

/** At most one per row, by entry; most of the time none. */
export class Contests {
  readonly #byEntry = new Map<number, Contest>();

  get size(): number {
    return this.#byEntry.size;
  }

  of(entry: number): Contest | undefined {
    return this.#byEntry.get(entry);
  }

  begin(
    entry: number,
    from: Pick<Contest, 'startedAtMs' | 'challengeHi' | 'challengeLo' | 'incumbentHi' | 'incumbentLo'>,
  ): Contest {
    const contest: Contest = {
      ...from,
      incumbentHeard: false,
      taken: 'no',
      provenAtMs: Number.NEGATIVE_INFINITY,
      echoed: NOWHERE,
      seen: NOWHERE,
      answeredAtMs: { newer: Number.NEGATIVE_INFINITY, older: Number.NEGATIVE_INFINITY },
    };
    this.#byEntry.set(entry, contest);
    return contest;
  }

  /** Both are proven to speak: whoever had the newest epoch when it began, and another one. */
  isTwo(entry: number): boolean {
    const contest = this.#byEntry.get(entry);
    return contest !== undefined && contest.incumbentHeard && contest.provenAtMs > Number.NEGATIVE_INFINITY;
  }

  forget(entry: number): void {
    this.#byEntry.delete(entry);
  }

  /** Takes away those that are over; returns their rows. */
  takeOver(nowMs: number): readonly number[] {
    const over = [...this.#byEntry].filter(([, contest]) => isOver(contest, nowMs)).map(([entry]) => entry);
    for (const entry of over) this.#byEntry.delete(entry);
    return over;
  }
}

/** The epoch is the incumbent's or newer: the sender is not the one that was overtaken first. */
const isOfIncumbent = (contest: Contest, epoch: bigint): boolean =>
  epoch >= ((BigInt(contest.incumbentHi) << 32n) | BigInt(contest.incumbentLo));

/** A heartbeat of an older epoch came in: proven to be of now, or not. */
export function noteStale(contest: Contest, { epoch }: Position, proven: boolean): void {
  if (!isOfIncumbent(contest, epoch)) return;
  if (proven) contest.incumbentHeard = true;
  else if (contest.taken === 'by-one') contest.taken = 'and-told';
}

/**
 * A newer epoch began with the challenge of the contest: the overtaken one took it, and then, told
 * in its turn, the other.
 */
export function noteTaken(contest: Contest, heardAtMs: number): void {
  contest.provenAtMs = Math.max(contest.provenAtMs, heardAtMs);
  if (contest.taken === 'and-told') contest.incumbentHeard = true;
  else contest.taken = 'by-one';
}

/** Where a heartbeat stands among those of its key: epochs count first. */
export interface Position {
  readonly epoch: bigint;
  readonly sequence: bigint;
}

const NOWHERE: Position = { epoch: -1n, sequence: -1n };

const isAfter = (a: Position, b: Position): boolean =>
  a.epoch > b.epoch || (a.epoch === b.epoch && a.sequence > b.sequence);

/** Is this heartbeat of an older epoch newer than all that echoed before? Then it is noted. */
export function noteEcho(contest: Contest, from: Position, heardAtMs: number): boolean {
  if (!isAfter(from, contest.echoed)) return false;
  contest.echoed = from;
  contest.provenAtMs = Math.max(contest.provenAtMs, heardAtMs);
  return true;
}

/**
 * Notes the answer it allows. What is newer than all before has a budget of its own: who repeats
 * recordings must not use up the answers of one who lives.
 */
export function mayAnswer(
  contest: Contest,
  from: Position,
  limits: { readonly ackMinIntervalMs: number; readonly routineAckMs: number },
  nowMs: number,
): boolean {
  const newer = isAfter(from, contest.seen);
  if (newer) contest.seen = from;
  if (nowMs - contest.answeredAtMs[newer ? 'newer' : 'older'] < (newer ? limits.ackMinIntervalMs : limits.routineAckMs))
    return false;
  contest.answeredAtMs[newer ? 'newer' : 'older'] = nowMs;
  return true;
}
