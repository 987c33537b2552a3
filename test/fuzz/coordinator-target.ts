import { HeartbeatBatch, type ReceiveResult } from '@understudy/observer/testing';
import { ObserverTable } from '@understudy/observer';
import {
  decodeAck,
  decodeHeartbeat,
  decodeProbe,
  deriveAgentKey,
  type Heartbeat,
  instanceHashOf,
  type MemberId,
  monotonicMs,
  peekFrame,
} from '@understudy/shared';
import { isDeepStrictEqual } from 'node:util';
import { roundTripFault } from './round-trip.ts';
import { type Expected, type ModelContest, type ModelRow, ReceiverModel } from './receiver-model.ts';
import type { Finding, InvariantName, Step, Target } from './step.ts';

export const MASTER = new Uint8Array(32).fill(7);
export const KEY_IDS = [1, 2] as const;
export const TICK_MS = 250;
const SUSPECT_AFTER_MS = 5_000;
const CONFIRM_FOR_MS = 3_000;

/**
 * Six members. The attacker has the keys of the last two. Each member has a replacement that is
 * known.
 */
export const ROSTER = Array.from({ length: 6 }, (_, index) => ({
  member: `db/m${index}` as MemberId,
  activated: `i-active-${index}`,
  known: [`i-next-${index}`],
}));

const HASHES = new Map(
  ROSTER.flatMap(({ activated, known }) => [activated, ...known]).map((id) => [id, instanceHashOf(id)]),
);

type Content = Pick<Heartbeat, 'servePromise' | 'checks'> & Pick<Heartbeat['flags'], 'serving' | 'goodbye'>;

const contentOf = ({ serving, goodbye, servePromise, checks }: Content) => ({
  serving,
  goodbye,
  servePromise,
  checks: checks.map(({ status, code, ageSeconds }) => ({ status, code, ageSeconds })),
});

type DatagramStep = Extract<Step, { kind: 'datagram' }>;
const finding = (invariant: InvariantName, text: string): Finding => ({ invariant, text });

/** The table is warm from the start. The same nonce asks the same challenges. */
export function makeTable(nonce: number): ObserverTable {
  const table = new ObserverTable({
    coordinatorId: 'c1',
    startedAtMs: monotonicMs(0),
    nonce: Uint8Array.from({ length: 32 }, (_, at) => (nonce >>> (8 * (at & 3))) & 255),
    keyIds: KEY_IDS,
    keyOf: (keyId, member) => deriveAgentKey(MASTER, keyId, member),
    activations: {
      answer: () => ({ activation: 'active', incarnation: 1, holdsForMs: 20_000, term: 5, leaderLive: true }),
    },
    settings: { warmUpMs: 0 },
  });
  const roster = ROSTER.map(({ member, activated, known }) => ({
    member,
    suspectAfterMs: SUSPECT_AFTER_MS,
    confirmForMs: CONFIRM_FOR_MS,
    heartbeatIntervalMs: 1_000,
    activatedInstanceId: activated,
    knownInstanceIds: known,
    serviceProbes: [],
    answeredProbesHoldForMs: 600_000,
  }));
  table.setRoster(roster, monotonicMs(0));
  return table;
}

/**
 * The coordinator's receiving side: the production table twice, one datagram at a time and four
 * together, and the model beside both.
 */
export class CoordinatorTarget implements Target {
  readonly outcomes = new Map<string, number>();
  readonly #table: ObserverTable;
  readonly #twin: ObserverTable;
  readonly #batch: HeartbeatBatch;
  /** Outcomes that the twin still owes, in order. At most four wait. */
  readonly #owed: { readonly outcome: string; readonly ack: Uint8Array | null }[] = [];
  readonly #model = new ReceiverModel(ROSTER, MASTER, KEY_IDS);
  /** Every challenge ever told for a row that is gone. None may come back. */
  readonly #challenges = new Map<string, ModelRow | ModelContest>();
  /** Content of the newest datagram recorded for a row. */
  readonly #told = new Map<ModelRow, Content>();
  #twinFault: string | null = null;
  #before: string;
  #datagrams = 0;
  /** The answer to the last datagram. */
  lastAck: Uint8Array | null = null;
  /** Probes the last tick sent, as they go over the wire. */
  probes: readonly { readonly member: MemberId; readonly bytes: Uint8Array }[] = [];

  constructor(nonce: number) {
    this.#table = makeTable(nonce);
    this.#twin = makeTable(nonce);
    this.#batch = new HeartbeatBatch(this.#twin, (result) => this.#compare(result));
    this.#before = this.#snapshot();
  }

  take(step: Step): Finding | null {
    try {
      return step.kind === 'time' ? this.#tick(step.atMs) : this.#receive(step);
    } catch (error) {
      return finding('never-throws', error instanceof Error ? (error.stack ?? error.message) : String(error));
    }
  }

  end(): Finding | null {
    this.#batch.flush();
    if (this.#twinFault !== null) return finding('one-by-one-as-together', this.#twinFault);
    if (JSON.stringify(this.#twin.opinions()) !== JSON.stringify(this.#table.opinions()))
      return finding('one-by-one-as-together', 'other opinions when checked four at once');
    return null;
  }

  #receive(step: DatagramStep): Finding | null {
    const { bytes, from, atMs, what } = step;
    this.#datagrams++;
    peekFrame(bytes);
    const expected = this.#model.receive(bytes, atMs);
    const result = this.#table.receive(bytes, from, monotonicMs(atMs));
    this.lastAck = result.ack;
    this.outcomes.set(result.outcome, (this.outcomes.get(result.outcome) ?? 0) + 1);
    this.#owed.push(result);
    // The batch judges datagrams of another size than a heartbeat's at once, ahead of those that
    // wait.
    if (bytes.length !== 160) this.#batch.flush();
    this.#batch.add(bytes, from, monotonicMs(atMs));
    return (
      this.#judgeOutcome(expected, result, what) ??
      this.#judgeReply(step, expected, result) ??
      this.#judgeState(step, expected, result.outcome) ??
      roundTripFault(bytes) ??
      (this.#twinFault === null ? null : finding('one-by-one-as-together', this.#twinFault))
    );
  }

  #judgeOutcome(expected: Expected, { outcome }: ReceiveResult, what: string): Finding | null {
    const counts = Object.values(this.#table.counts).reduce((sum, count) => sum + count, 0);
    if (counts !== this.#datagrams || this.#table.counts[outcome] !== this.outcomes.get(outcome))
      return finding('counters', `${counts} counted of ${this.#datagrams} datagrams`);
    const counted = outcome === 'recorded' || outcome === 'unconfirmed' || outcome === 'rival';
    if (counted && !expected.authentic)
      return finding('nothing-forged-counts', `${what}: ${outcome} without a right tag`);
    if (outcome !== expected.outcome) return finding('outcome', `${what}: ${outcome}, want ${expected.outcome}`);
    return null;
  }

  #judgeReply(step: DatagramStep, expected: Expected, { outcome, ack }: ReceiveResult) {
    if (expected.answered !== undefined) return this.#judgeStaleReply(step, expected, ack);
    const { bytes, atMs, what } = step;
    const { authentic, row } = expected;
    const answered = outcome === 'recorded' || outcome === 'unconfirmed';
    if (!ack) {
      const owed = outcome === 'unconfirmed' && row !== null && atMs - row.ackAtMs >= 100;
      return owed ? finding('reply-genuine', `${what}: no challenge for one who does not know it`) : null;
    }
    if (!authentic || !answered) return finding('no-reply-to-strangers', `${what}: ${outcome} was answered`);
    if (ack.length > bytes.length)
      return finding('reply-not-larger', `${what}: ${ack.length} for ${bytes.length} bytes`);
    const decoded = decodeAck(ack);
    const asked = decodeHeartbeat(bytes);
    const fits =
      decoded !== null &&
      this.#model.tagIsRight(ack) &&
      decoded.sequence === asked?.sequence &&
      decoded.bootEpoch === asked.bootEpoch &&
      decoded.instanceHash === asked.instanceHash;
    if (!fits || row === null) return finding('reply-genuine', `${what}: an ack that does not fit its heartbeat`);
    if (atMs - row.ackAtMs < 100) return finding('reply-genuine', `${what}: two acks within ${atMs - row.ackAtMs} ms`);
    row.ackAtMs = atMs;
    return this.#learn(row, decoded.challenge, what);
  }

  /**
   * A datagram of an older epoch is told so, in its turn, with a challenge of its own, and never
   * that it may serve.
   */
  #judgeStaleReply({ bytes, what }: DatagramStep, { row, answered }: Expected, ack: Uint8Array | null) {
    if ((ack !== null) !== answered) return finding('reply-genuine', `${what}: stale, ${ack ? '' : 'not '}answered`);
    if (!ack || !row?.contest) return null;
    const decoded = decodeAck(ack);
    const asked = decodeHeartbeat(bytes);
    const newest = row.epoch !== null && row.epoch < NEWEST_TOLD ? row.epoch : NEWEST_TOLD;
    const fits =
      decoded !== null &&
      ack.length <= bytes.length &&
      this.#model.tagIsRight(ack) &&
      decoded.sequence === asked?.sequence &&
      decoded.bootEpoch === asked.bootEpoch &&
      decoded.instanceHash === asked.instanceHash &&
      decoded.newestEpoch === newest &&
      decoded.activation !== 'active' &&
      decoded.holdsForMs === 0;
    if (!fits) return finding('reply-genuine', `${what}: told stale by an ack that does not fit`);
    return this.#learn(row.contest, decoded.challenge, what);
  }

  #learn(row: ModelRow | ModelContest, challenge: string, what: string): Finding | null {
    const owner = this.#challenges.get(challenge);
    if (owner !== undefined && owner !== row) return finding('reply-genuine', `${what}: the challenge of another row`);
    if (row.challenge !== null && row.challenge !== challenge)
      return finding('reply-genuine', `${what}: another challenge for the same row`);
    this.#challenges.set(challenge, row);
    row.challenge = challenge;
    return null;
  }

  /**
   * Compares what is known of all members before and after, and checks that it was recorded as it
   * was sent.
   */
  #judgeState({ what, bytes, atMs }: DatagramStep, { member, row }: Expected, outcome: string): Finding | null {
    const now = this.#snapshot();
    // An authentic but unconfirmed datagram says nothing about life. It does open the window, whose
    // epoch is part of a reading.
    const same = outcome === 'unconfirmed' ? withoutEpochs(now) === withoutEpochs(this.#before) : now === this.#before;
    if (outcome !== 'recorded' && outcome !== 'rival' && !same)
      return finding('rejected-changes-nothing', `${what} (${outcome}):\n  ${this.#before}\n  ${now}`);
    this.#before = now;
    const instance = ROSTER.flatMap(({ activated, known }) => [activated, ...known]).find(
      (id) => HASHES.get(id) === row?.instanceHash,
    );
    if (outcome !== 'recorded' || member === null || instance === undefined) return null;
    const sent = decodeHeartbeat(bytes);
    const read = this.#table.reading(member, instance);
    // An overtaken datagram proves life and says nothing more.
    if (row && sent && sent.sequence === row.highest) this.#told.set(row, contentOf({ ...sent, ...sent.flags }));
    const right =
      read?.lastHeardAtMs === atMs &&
      read.bootEpoch === sent?.bootEpoch &&
      (!row || !this.#told.has(row) || isDeepStrictEqual(contentOf(read), this.#told.get(row)));
    return right ? null : finding('outcome', `${what}: recorded otherwise than sent`);
  }

  #tick(atMs: number): Finding | null {
    this.#batch.flush();
    this.#model.tick(atMs);
    this.probes = [];
    for (const table of [this.#table, this.#twin]) {
      table.tick(monotonicMs(atMs));
      const orders = table.planProbes(monotonicMs(atMs));
      for (const order of orders) table.probeResult(order, 'sent', monotonicMs(atMs));
      if (table === this.#table) this.probes = orders.map(({ member, payload }) => ({ member, bytes: payload }));
    }
    for (const { bytes } of this.probes)
      if (!this.#model.tagIsRight(bytes) || decodeProbe(bytes) === null)
        return finding('reply-genuine', 'a probe that its agent will refuse');
    this.#before = this.#snapshot();
    return this.#judgeVerdicts(atMs);
  }

  #judgeVerdicts(atMs: number): Finding | null {
    for (const { member, verdict } of this.#table.opinions()) {
      const silentMs = atMs - (this.#model.heardAtMs(member) ?? Number.NEGATIVE_INFINITY);
      const limitMs = verdict === 'dead' ? SUSPECT_AFTER_MS + CONFIRM_FOR_MS : SUSPECT_AFTER_MS;
      const accused = verdict === 'dead' || verdict === 'suspect';
      if (accused && silentMs < limitMs)
        return finding('silence-is-silence', `${member} is ${verdict} after ${silentMs} ms`);
      if (verdict === 'alive' && silentMs >= SUSPECT_AFTER_MS)
        return finding('silence-is-silence', `${member} is alive after ${silentMs} ms of silence`);
    }
    return null;
  }

  #compare({ outcome, ack }: ReceiveResult): void {
    const owed = this.#owed.shift();
    const same = owed?.outcome === outcome && Buffer.compare(owed.ack ?? EMPTY, ack ?? EMPTY) === 0;
    if (!same) this.#twinFault ??= `${outcome} four at once, ${owed?.outcome ?? 'nothing'} one by one`;
  }

  /** Everything that can be seen of the table from outside, except the counters. */
  #snapshot(): string {
    let text = '';
    for (const { member, activated } of ROSTER) {
      const opinion = this.#table.opinion(member);
      const reading = this.#table.reading(member, activated);
      text += `${opinion?.verdict} ${opinion?.reason} ${opinion?.sinceMs} ${opinion?.lastHeardMs}`;
      if (reading)
        text += ` ${reading.lastHeardAtMs} ${reading.passingSinceMs} ${reading.checks.map((check) => check.failingSinceMs).join(' ')} e${reading.bootEpoch} ${reading.serving} ${reading.goodbye}`;
      text += ';';
    }
    return text;
  }
}

const withoutEpochs = (snapshot: string): string => snapshot.replaceAll(/e\d+/g, '');
const NEWEST_TOLD = 0xffff_ffff_ffffn;
const EMPTY = new Uint8Array(0);
