import {
  ACK_ACTIVATIONS,
  encodeAckTo,
  HEARTBEAT_INTERVAL_STEP_MS,
  HEARTBEAT_OFFSET,
  type Mac,
  type MemberId,
  monotonicMs,
  readServePromise,
} from '@understudy/shared';
import type { ActivationAnswer, ActivationSource } from './activation-source.ts';
import type { Contest } from './contests.ts';
import type { ObserverState } from './observer-state.ts';
import type { Keyring } from './tag-verifier/keyring.ts';

const ACK_REQUESTED = 1;

/** What authentic heartbeats are answered, and when. */
export class Acks {
  readonly #state: ObserverState;
  readonly #keyring: Keyring;
  readonly #activations: ActivationSource;
  readonly #coordinatorHash: number;

  constructor(state: ObserverState, keyring: Keyring, activations: ActivationSource, coordinatorHash: number) {
    this.#state = state;
    this.#keyring = keyring;
    this.#activations = activations;
    this.#coordinatorHash = coordinatorHash;
  }

  /**
   * At once: a wrong challenge, a request, a changed answer. Otherwise 1 in `ackEvery`. Never
   * faster than `ackMinIntervalMs`.
   */
  ifDue(slot: number, entry: number, bytes: Uint8Array, knowsChallenge: boolean, nowMs: number): Uint8Array | null {
    const { entries, settings } = this.#state;
    const sinceAck = Math.min(255, (entries.sinceAck[entry] as number) + 1);
    entries.sinceAck[entry] = sinceAck;
    const quietMs = nowMs - (entries.lastAckMs[entry] as number);
    if (quietMs < settings.ackMinIntervalMs) return null;
    const answer = this.#answerFor(slot, entry, bytes);
    const wanted =
      !knowsChallenge ||
      ((bytes[HEARTBEAT_OFFSET.flags] as number) & ACK_REQUESTED) !== 0 ||
      (sinceAck >= settings.ackEvery && quietMs >= settings.routineAckMs) ||
      entries.ackedActivation[entry] !== ACK_ACTIVATIONS.indexOf(answer.activation) ||
      entries.ackedIncarnation[entry] !== answer.incarnation;
    return wanted ? this.#ack(slot, entry, bytes, answer, nowMs) : null;
  }

  #answerFor(slot: number, entry: number, bytes: Uint8Array): ActivationAnswer {
    const { entries, members } = this.#state;
    return this.#activations.answer(
      members.ids[slot] as MemberId,
      entries.hashHex[entry] as string,
      monotonicMs(entries.epochHeardMs[entry] as number),
      readServePromise(bytes, HEARTBEAT_OFFSET.servePromise),
    );
  }

  #ack(slot: number, entry: number, bytes: Uint8Array, answer: ActivationAnswer, nowMs: number): Uint8Array {
    const { entries, members, contests } = this.#state;
    entries.lastAckMs[entry] = nowMs;
    entries.sinceAck[entry] = 0;
    entries.ackedActivation[entry] = ACK_ACTIVATIONS.indexOf(answer.activation);
    entries.ackedIncarnation[entry] = answer.incarnation;
    return encodeAckTo(
      bytes,
      {
        leaderLive: answer.leaderLive,
        challengeHi: entries.challengeHi[entry] as number,
        challengeLo: entries.challengeLo[entry] as number,
        coordinatorHash: this.#coordinatorHash,
        opinion: members.activeEntry[slot] === entry ? this.#state.verdictOf(slot) : 'unknown',
        activation: answer.activation,
        incarnation: answer.incarnation,
        holdsForMs: answer.holdsForMs,
        term: answer.term,
        newestEpoch: null,
        heartbeatIntervalMs: (members.heartbeatIntervalSteps[slot] as number) * HEARTBEAT_INTERVAL_STEP_MS,
        contested: contests.isTwo(entry),
      },
      this.#macOf(slot, bytes),
    );
  }

  /** To an agent of an older boot epoch: it is told so, and never that it may serve. */
  ofStale(slot: number, entry: number, bytes: Uint8Array, contest: Contest): Uint8Array {
    const { entries, members, contests } = this.#state;
    const answer = this.#answerFor(slot, entry, bytes);
    const may = answer.activation === 'active';
    return encodeAckTo(
      bytes,
      {
        ...answer,
        leaderLive: false,
        activation: may ? 'unknown' : answer.activation,
        incarnation: may ? 0 : answer.incarnation,
        holdsForMs: 0,
        challengeHi: contest.challengeHi,
        challengeLo: contest.challengeLo,
        coordinatorHash: this.#coordinatorHash,
        opinion: members.activeEntry[slot] === entry ? this.#state.verdictOf(slot) : 'unknown',
        heartbeatIntervalMs: 0,
        newestEpoch: { hi: entries.epochHi[entry] as number, lo: entries.epochLo[entry] as number },
        contested: contests.isTwo(entry),
      },
      this.#macOf(slot, bytes),
    );
  }

  /** Under the key that the heartbeat itself was sealed with. */
  #macOf(slot: number, bytes: Uint8Array): Mac {
    const member = this.#state.members.ids[slot] as MemberId;
    return this.#keyring.macAt(this.#keyring.offsetOf(slot, bytes[HEARTBEAT_OFFSET.keyId] as number, member));
  }
}
