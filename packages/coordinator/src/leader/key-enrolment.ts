import {
  type Clock,
  type Cloud,
  type CloudInstance,
  type CommitOutcome,
  deriveAgentKey,
  errorText,
  hasCode,
  invariant,
  isOperationError,
  type KeyEnrolmentRecord,
  type Keyspace,
  type Log,
  type MemberId,
  type Problem,
  problemOf,
  type Random,
  type SealedKey,
  sealKey,
  type Term,
  type Unwritten,
  X25519_BYTES,
} from '@understudy/shared';
import {
  decideKeyEnrolment,
  type EnrolmentClaim,
  type EnrolmentDecision,
  type EnrolmentFacts,
  type EnrolmentRefusal,
  type RefusedEnrolment,
  refusedUnasked,
} from '../identity/decide-key-enrolment.ts';
import type { EnrolmentSettings } from '../identity/enrolment-settings.ts';
import { readIdentity } from '../identity/identity-document.ts';
import { Pace, sourceOf } from '../identity/pace.ts';
import { RefusedList, type ShownRefusal } from '../identity/refused-list.ts';
import type { ClusterState } from '../store/cluster-state.ts';

/** What an agent sends, with what its connection says of it. */
export interface EnrolmentRequest {
  readonly member: MemberId;
  /** As IMDS gives it at `instance-identity/rsa2048`. */
  readonly document: string;
  /** Raw X25519 public key, base64url. */
  readonly publicKey: string;
  /** The other end of the connection. */
  readonly address: string;
  readonly requestId: string;
}

export type EnrolmentAnswer =
  | { readonly kind: 'given'; readonly keyId: number; readonly key: SealedKey; readonly repeated: boolean }
  | RefusedEnrolment
  /** Nothing was decided: ask again. `off`: enrolment is not configured here. */
  | { readonly kind: 'off' | 'unavailable' | 'unknown-outcome'; readonly text: string };

export interface KeyEnrolmentOptions {
  /** Null: no agent enrols. */
  readonly settings: EnrolmentSettings | null;
  readonly cloud: Pick<Cloud, 'describeInstances'>;
  readonly view: ClusterState;
  readonly keys: Keyspace;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Key id → master secret, oldest first, as they are now. */
  readonly masters: () => ReadonlyMap<number, Uint8Array>;
}

/**
 * What one address may send, whatever is in it. Asked before {@link ALL}, so that one address uses
 * up its own pace and not that of others.
 */
const EACH = { burst: 10, refillPerSecond: 1 };
/** All that is looked at, whoever sends it: a document costs about 1 ms to take apart. */
const ALL = { burst: 200, refillPerSecond: 100 };
/** One instance from one address. An agent asks again after 2 s at the soonest, then slower. */
const ONE = { burst: 8, refillPerSecond: 0.1 };
/** Questions to EC2, of its own rate (docs/rates.md). */
const LOOKS = { burst: 20, refillPerSecond: 5 };

const TOO_OFTEN: RefusedEnrolment = { kind: 'refused', reason: 'TooOften', text: 'too many ask: ask again later' };
const unavailable = (text: string): EnrolmentAnswer => ({ kind: 'unavailable', text });
const NOBODY_LEADS = unavailable('nobody here leads with a fresh view of etcd');
/** Pass by themselves, or say nothing about an attempt: no problem is shown for them. */
const PASSING: ReadonlySet<EnrolmentRefusal> = new Set(['MemberUnknown', 'InstanceNotRunning', 'TooOften']);
const REMARKS_MAX = 5;

/**
 * Where the leader gives agents their keys for the signed identity of their instance (S34). What is
 * decided rests on one answer of EC2, asked for this request, and on records that the transaction
 * compares; so a leader that is paused in between gives nothing.
 */
export class KeyEnrolment {
  readonly #options: KeyEnrolmentOptions;
  readonly #each = new Pace(EACH);
  readonly #all = new Pace(ALL);
  readonly #one = new Pace(ONE);
  readonly #looks = new Pace(LOOKS);
  readonly #refused = new RefusedList();
  readonly #counts = new Map<string, number>();

  constructor(options: KeyEnrolmentOptions) {
    this.#options = options;
  }

  get isOn(): boolean {
    return this.#options.settings !== null;
  }

  /** Requests since the process began, by outcome. */
  get counts(): ReadonlyMap<string, number> {
    return this.#counts;
  }

  refusals(): readonly ShownRefusal[] {
    return this.#refused.list(this.#options.clock.monotonicMs());
  }

  remarks(): readonly Problem[] {
    return this.refusals()
      .filter(({ reason }) => !PASSING.has(reason))
      .slice(-REMARKS_MAX)
      .map(({ member, address, reason, text }) =>
        problemOf('ENROLMENT_REFUSED', `${reason}: ${address} asked for the key of ${member}: ${text}`),
      );
  }

  /** Never rejects but for a bug. Asking again is harmless: the same agent is answered the same. */
  async take(term: Term | null, request: EnrolmentRequest): Promise<EnrolmentAnswer> {
    const { settings } = this.#options;
    if (settings === null) return this.#counted('off', { kind: 'off', text: 'no agent enrols here' });
    if (term === null || !this.#leads(term)) return this.#counted('unavailable', NOBODY_LEADS);
    const { document: text, member, address, publicKey } = request;
    const nowMs = this.#options.clock.monotonicMs();
    if (!this.#each.take(sourceOf(address), nowMs) || !this.#all.take('', nowMs))
      return this.#refuse(request, null, TOO_OFTEN);
    const reading = readIdentity(text, settings.region, () => settings.signers);
    if (reading.kind === 'refused') return this.#refuse(request, null, reading);
    const claim = { member, document: reading.document, address, publicKey };
    try {
      return await this.#judge(term, settings, claim, request);
    } catch (error) {
      if (!isOperationError(error)) throw error;
      if (hasCode(error, 'STORE_OUTCOME_UNKNOWN'))
        return this.#counted('unknown-outcome', { kind: 'unknown-outcome', text: errorText(error) });
      return this.#counted('unavailable', unavailable(errorText(error)));
    }
  }

  /** By our own clock: also after a pause that nobody has noticed yet. */
  #leads(term: Term): boolean {
    return term.remainingMs() > 0 && this.#options.view.isFresh();
  }

  /** @throws the errors of EC2's reads and of a commit */
  async #judge(
    term: Term,
    { accounts }: EnrolmentSettings,
    claim: EnrolmentClaim,
    request: EnrolmentRequest,
  ): Promise<EnrolmentAnswer> {
    const { clock } = this.#options;
    const { instanceId } = claim.document;
    const unasked = refusedUnasked(claim, this.#factsOf(claim.member, accounts));
    if (unasked) return this.#refuse(request, instanceId, unasked);
    const nowMs = clock.monotonicMs();
    if (!this.#one.take(`${instanceId} ${claim.address}`, nowMs) || !this.#looks.take('', nowMs))
      return this.#refuse(request, instanceId, TOO_OFTEN);
    const instance = await this.#look(instanceId, term.signal);
    // The records as they are now: EC2 may have taken its time, or we were paused. A first answer
    // is written under the term besides; one that is repeated rests on this.
    if (!this.#leads(term)) return this.#counted('unavailable', NOBODY_LEADS);
    const facts = this.#factsOf(claim.member, accounts);
    const decision = decideKeyEnrolment(claim, facts, instance);
    if (decision.kind === 'refused') return this.#refuse(request, instanceId, decision);
    const sealed = this.#sealed(claim);
    if (sealed === null)
      return this.#refuse(request, instanceId, {
        ...{ kind: 'refused', reason: 'KeyUnusable' },
        text: 'its public key is none that anything can be sealed to',
      });
    return this.#give(term, claim, decision, sealed);
  }

  #factsOf(member: MemberId, accounts: readonly string[]): EnrolmentFacts {
    const { activations, members, intents, enrolments } = this.#options.view.records;
    return {
      accounts,
      activation: activations.get(member)?.record ?? null,
      memberRecord: members.get(member)?.record ?? null,
      intent: intents.get(member)?.record ?? null,
      enrolment: enrolments.get(member)?.record ?? null,
    };
  }

  async #look(instanceId: string, signal: AbortSignal): Promise<CloudInstance | null> {
    const { cloud } = this.#options;
    const found = await cloud.describeInstances({ 'instance-id': [instanceId] }, { signal, urgency: 'chore' });
    return found.find((one) => one.instanceId === instanceId) ?? null;
  }

  /** Under the newest master secret. Null: the agent's public key is none. */
  #sealed({ member, document, publicKey }: EnrolmentClaim): { readonly keyId: number; readonly key: SealedKey } | null {
    const { masters, random } = this.#options;
    const [keyId, master] = [...masters()].at(-1) ?? [];
    invariant(keyId !== undefined && master !== undefined, 'there is a master secret');
    const text = `${keyId} ${Buffer.from(deriveAgentKey(master, keyId, member)).toString('hex')}`;
    const secret = Buffer.from(random.hex(X25519_BYTES), 'hex');
    try {
      return { keyId, key: sealKey(text, publicKey, secret, { member, instanceId: document.instanceId }) };
    } catch (error) {
      if (hasCode(error, 'KEY_INVALID')) return null;
      throw error;
    }
  }

  async #give(
    term: Term,
    claim: EnrolmentClaim,
    { opId, repeated }: Extract<EnrolmentDecision, { kind: 'give' }>,
    sealed: { readonly keyId: number; readonly key: SealedKey },
  ): Promise<EnrolmentAnswer> {
    const { member, address, document } = claim;
    if (!repeated) {
      const outcome = await this.#write(term, claim, opId, sealed.keyId);
      if (outcome.kind === 'conflict')
        return this.#counted('unavailable', unavailable(`${member} has changed meanwhile`));
    }
    this.#refused.settle(document.instanceId, address);
    const told = { member, instanceId: document.instanceId, address, keyId: sealed.keyId, repeated };
    this.#options.log.info('key.enrolled', told);
    return this.#counted(repeated ? 'repeated' : 'given', { kind: 'given', ...sealed, repeated });
  }

  /** **S** (S34) Under the term, and only while every record it rests on is as it was. */
  #write(term: Term, claim: EnrolmentClaim, opId: string | null, keyId: number): Promise<CommitOutcome> {
    const { keys, view, clock } = this.#options;
    const { member, publicKey, address, document } = claim;
    const { instanceId, pendingWallMs } = document;
    const record: Unwritten<KeyEnrolmentRecord> = {
      ...{ member, instanceId, publicKey, address, pendingWallMs, opId, keyId },
      atWallMs: clock.wallMs(),
    };
    const { activations, intents, enrolments } = view.records;
    return term.commit({
      puts: [{ key: keys.enrolment(member), record, expect: enrolments.get(member)?.modRevision ?? 0 }],
      also: [
        { key: keys.activation(member), modRevision: activations.get(member)?.modRevision ?? 0 },
        { key: keys.intent(member), modRevision: intents.get(member)?.modRevision ?? 0 },
      ],
    });
  }

  #refuse(request: EnrolmentRequest, instanceId: string | null, refused: RefusedEnrolment): EnrolmentAnswer {
    const { clock, log } = this.#options;
    const { member, address, requestId } = request;
    const { reason, text } = refused;
    const said = { member, instanceId, address, reason, text };
    this.#refused.note({ ...said, lastWallMs: clock.wallMs() }, clock.monotonicMs());
    // Whoever asks too often is not given a log of it, too.
    if (reason !== 'TooOften') log.warn('key.enrolment_refused', { ...said, instanceId: instanceId ?? '', requestId });
    return this.#counted(reason, refused);
  }

  #counted(outcome: string, answer: EnrolmentAnswer): EnrolmentAnswer {
    this.#counts.set(outcome, (this.#counts.get(outcome) ?? 0) + 1);
    return answer;
  }
}
