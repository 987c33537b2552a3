import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto';
import { agentIdOf, deriveAgentKey, instanceHashOf, type MemberId } from '@understudy/shared';

/**
 * What `docs/heartbeat-protocol.md` ("What a receiver does, in this order") demands of a
 * coordinator, written a second time and as plainly as possible. It has node:crypto for tags and
 * sets of bigints for the window. It shares only key derivation and hashing of ids with the code
 * under test.
 */

const INSTANCES_MAX = 5;
const WINDOW = 64n;
const CONTEST_MS = 30_000;

export interface ModelRow {
  readonly instanceHash: string;
  epoch: bigint | null;
  highest: bigint;
  seen: Set<bigint>;
  /** Told in the first ack. Null before that. */
  challenge: string | null;
  heardAtMs: number | null;
  ackAtMs: number;
  contest: ModelContest | null;
}

/**
 * A contest: an agent with an older epoch speaks too. It holds what that agent is told, and what it
 * proved.
 */
export interface ModelContest {
  readonly startedAtMs: number;
  /** Told in its first answer. Null before that. */
  challenge: string | null;
  provenAtMs: number;
  echoed: readonly [epoch: bigint, sequence: bigint];
  seen: readonly [epoch: bigint, sequence: bigint];
  answeredNewerAtMs: number;
  answeredOlderAtMs: number;
}

interface ModelMember {
  readonly member: MemberId;
  readonly activeHash: string;
  readonly knownHashes: ReadonlySet<string>;
  /** Newest first. */
  rows: ModelRow[];
  readonly keys: ReadonlyMap<number, KeyObject>;
}

export interface Expected {
  readonly outcome: string;
  readonly authentic: boolean;
  readonly member: MemberId | null;
  readonly row: ModelRow | null;
  /** True when a datagram of an older epoch has to be answered. */
  readonly answered?: boolean;
}

export interface ModelRoster {
  readonly member: MemberId;
  readonly activated: string;
  readonly known: readonly string[];
}

export class ReceiverModel {
  readonly #members = new Map<string, ModelMember>();

  constructor(roster: readonly ModelRoster[], master: Uint8Array, keyIds: readonly number[]) {
    for (const { member, activated, known } of roster)
      this.#members.set(agentIdOf(member), {
        member,
        activeHash: instanceHashOf(activated),
        knownHashes: new Set(known.map(instanceHashOf)),
        rows: [],
        keys: new Map(keyIds.map((id) => [id, createSecretKey(deriveAgentKey(master, id, member))])),
      });
  }

  /** The outcome this datagram has to have. Moves the model on. */
  receive(datagram: Uint8Array, nowMs: number): Expected {
    const bytes = Buffer.from(datagram);
    const drop = (outcome: string, authentic = false): Expected => ({ outcome, authentic, member: null, row: null });
    if (bytes.length !== 160 || bytes[0] !== 1 || bytes[1] !== 1) return drop('malformed');
    const found = this.#members.get(bytes.toString('hex', 4, 20));
    if (!found) return drop('unknown-agent');
    const key = found.keys.get(bytes[2] ?? 0);
    if (!key) return drop('unknown-key');
    if (!tagIsRight(bytes, key)) return drop('forged');
    for (let slot = 0; slot < 7; slot++) if ((bytes[52 + slot * 4] ?? 0) > 4) return drop('malformed', true);
    const row = rowOf(found, bytes.toString('hex', 20, 28));
    const at = [bytes.readBigUInt64BE(28), bytes.readBigUInt64BE(36)] as const;
    const begins = row.epoch !== at[0];
    const verdict = accept(row, ...at);
    const { member } = found;
    const echoed = bytes.toString('hex', 44, 52);
    if (verdict === 'stale') return { ...overtaken(row, at, echoed, nowMs), authentic: true, member, row };
    if (verdict === 'replayed') return { outcome: verdict, authentic: true, member, row };
    const contested = row.contest?.challenge === echoed;
    if (row.contest && contested && begins) row.contest.provenAtMs = nowMs;
    const confirmed = contested || row.challenge === echoed;
    if (confirmed) row.heardAtMs = nowMs;
    return { outcome: confirmed ? 'recorded' : 'unconfirmed', authentic: true, member, row };
  }

  /** Contests end between datagrams. */
  tick(nowMs: number): void {
    for (const { rows } of this.#members.values())
      for (const row of rows)
        if (row.contest && nowMs - Math.max(row.contest.startedAtMs, row.contest.provenAtMs) >= CONTEST_MS)
          row.contest = null;
  }

  /** When the activated instance was last heard, or null. */
  heardAtMs(member: MemberId): number | null {
    const found = this.#members.get(agentIdOf(member));
    return found?.rows.find((row) => row.instanceHash === found.activeHash)?.heardAtMs ?? null;
  }

  /** True when the tag is right under the key of the member and key id the datagram names. */
  tagIsRight(datagram: Uint8Array): boolean {
    const bytes = Buffer.from(datagram);
    const key = this.#members.get(bytes.toString('hex', 4, 20))?.keys.get(bytes[2] ?? 0);
    return key !== undefined && tagIsRight(bytes, key);
  }
}

export function tagIsRight(bytes: Buffer, key: KeyObject): boolean {
  if (bytes.length <= 16) return false;
  const tag = createHmac('sha256', key)
    .update(bytes.subarray(0, bytes.length - 16))
    .digest();
  return timingSafeEqual(tag.subarray(0, 16), bytes.subarray(bytes.length - 16));
}

function accept(row: ModelRow, epoch: bigint, sequence: bigint): 'fresh' | 'replayed' | 'stale' {
  if (row.epoch === null || epoch > row.epoch) {
    row.epoch = epoch;
    row.highest = sequence;
    row.seen = new Set([sequence]);
    return 'fresh';
  }
  if (epoch < row.epoch || row.highest - sequence >= WINDOW) return 'stale';
  if (row.seen.has(sequence)) return 'replayed';
  row.seen.add(sequence);
  if (sequence > row.highest) row.highest = sequence;
  for (const one of row.seen) if (row.highest - one >= WINDOW) row.seen.delete(one);
  return 'fresh';
}

const isAfter = (a: readonly [bigint, bigint], b: readonly [bigint, bigint]) =>
  a[0] > b[0] || (a[0] === b[0] && a[1] > b[1]);

/** Alive only if it echoes what was told in this contest, and is newer than all that did. */
function overtaken(row: ModelRow, at: readonly [bigint, bigint], echoed: string, nowMs: number) {
  row.contest ??= {
    startedAtMs: nowMs,
    challenge: null,
    provenAtMs: Number.NEGATIVE_INFINITY,
    echoed: [-1n, -1n],
    seen: [-1n, -1n],
    answeredNewerAtMs: Number.NEGATIVE_INFINITY,
    answeredOlderAtMs: Number.NEGATIVE_INFINITY,
  };
  const { contest } = row;
  const rival = contest.challenge === echoed && isAfter(at, contest.echoed);
  if (rival) {
    contest.echoed = at;
    contest.provenAtMs = nowMs;
    row.heardAtMs = nowMs;
  }
  const newer = isAfter(at, contest.seen);
  if (newer) contest.seen = at;
  const answered = newer ? nowMs - contest.answeredNewerAtMs >= 100 : nowMs - contest.answeredOlderAtMs >= 1_000;
  if (answered) contest[newer ? 'answeredNewerAtMs' : 'answeredOlderAtMs'] = nowMs;
  return { outcome: rival ? 'rival' : 'stale', answered };
}

function rowOf(found: ModelMember, instanceHash: string): ModelRow {
  const known = found.rows.find((row) => row.instanceHash === instanceHash);
  if (known) return known;
  if (found.rows.length >= INSTANCES_MAX) found.rows = without(found);
  const row: ModelRow = {
    instanceHash,
    epoch: null,
    highest: 0n,
    seen: new Set(),
    challenge: null,
    heardAtMs: null,
    ackAtMs: Number.NEGATIVE_INFINITY,
    contest: null,
  };
  found.rows = [row, ...found.rows];
  return row;
}

/**
 * The rows without the one to be forgotten. It is never the activated instance. Strangers go before
 * the known, the unheard before the heard, then the longest silent, then the oldest.
 */
function without({ rows, activeHash, knownHashes }: ModelMember): ModelRow[] {
  const worth = (row: ModelRow) => (knownHashes.has(row.instanceHash) ? 1e15 : 0) + (row.heardAtMs ?? -1);
  const others = rows.filter((row) => row.instanceHash !== activeHash);
  const least = Math.min(...others.map(worth));
  const victim = others.findLast((row) => worth(row) === least);
  return rows.filter((row) => row !== victim);
}
