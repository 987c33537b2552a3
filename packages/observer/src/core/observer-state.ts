import { type MemberId, monotonicMs, type OpinionVerdict } from '@understudy/shared';
import { AgentIndex } from './agent-index.ts';
import { EntryColumns, isHeard, MEMBER_FLAG, MemberColumns, NO_KEY, NONE } from './columns.ts';
import { Contests } from './contests.ts';
import { isOpen, newConfirmation, type Suspicion } from './silence.ts';
import { newServiceState, sameServiceOpinion, type ServiceState } from './service-state.ts';
import type { ServiceOpinion } from './service-types.ts';
import { OPINION_REASONS, type Opinion, type OpinionReason, type ObserverSettings } from './types.ts';

const VERDICTS: readonly OpinionVerdict[] = ['unknown', 'alive', 'suspect', 'dead', 'left'];
const codes = <T extends string>(names: readonly T[]) =>
  Object.fromEntries(names.map((name, code) => [name, code])) as Readonly<Record<T, number>>;
const VERDICT_CODE = codes(VERDICTS);
const REASON_CODE = codes(OPINION_REASONS);

/**
 * What receiving, judging and the roster share: the flat tables, who is under suspicion, and which
 * opinions changed.
 */
export class ObserverState {
  readonly members = new MemberColumns();
  readonly entries = new EntryColumns();
  readonly index = new AgentIndex();
  readonly slots = new Map<MemberId, number>();
  /** Slots that are suspect or dead; at most one per member. */
  /** Until then what persons say of lost zones counts. */
  saidLostUntilMs = Number.NEGATIVE_INFINITY;
  readonly suspicions = new Map<number, Suspicion>();
  /** Slot → hashes of further instances the roster knows; only members that have any. */
  readonly known = new Map<number, ReadonlySet<string>>();
  /** Slot → its service probes; only members of groups that have any. */
  readonly probed = new Map<number, ServiceState>();
  /** Slot → what is thought of its services, where anything is. */
  readonly services = new Map<number, ServiceOpinion>();
  /** Rows for which an older boot epoch speaks too. */
  readonly contests = new Contests();
  readonly settings: ObserverSettings;
  #probedVersion = 0;
  #changed: number[] = [];
  #entriesMade = 0;

  constructor(settings: ObserverSettings) {
    this.settings = settings;
  }

  /** Number of entries ever made: makes the challenge of a re-made entry a new one. */
  get entriesMade(): number {
    return this.#entriesMade;
  }

  /** Grows whenever {@link probed} does not hold the same slots as before. */
  get probedVersion(): number {
    return this.#probedVersion;
  }

  startServices(
    slot: number,
    from: Pick<ServiceState, 'instanceId' | 'probes' | 'answeredHoldMs'>,
    nowMs: number,
  ): void {
    this.dropServices(slot, nowMs);
    this.#probedVersion++;
    this.probed.set(slot, newServiceState({ ...from, epoch: this.#probedVersion }, nowMs));
    const suspicion = this.suspicions.get(slot);
    if (suspicion && isOpen(suspicion)) suspicion.confirm = newConfirmation(nowMs, from.probes.length);
  }

  dropServices(slot: number, nowMs: number): void {
    if (!this.probed.delete(slot)) return;
    this.#probedVersion++;
    this.setService(slot, null);
    const suspicion = this.suspicions.get(slot);
    if (suspicion && isOpen(suspicion)) suspicion.confirm = newConfirmation(nowMs, 0);
  }

  setService(slot: number, opinion: ServiceOpinion | null): void {
    if (sameServiceOpinion(this.services.get(slot) ?? null, opinion)) return;
    if (opinion) this.services.set(slot, opinion);
    else this.services.delete(slot);
    this.markChanged(slot);
  }

  entryOf(slot: number, hashHi: number, hashLo: number): number {
    const { entries } = this;
    let entry = this.members.firstEntry[slot] as number;
    while (entry !== NONE && (entries.hashHi[entry] !== hashHi || entries.hashLo[entry] !== hashLo))
      entry = entries.next[entry] as number;
    return entry;
  }

  isActive(slot: number, hashHi: number, hashLo: number): boolean {
    const { members } = this;
    return (
      members.activeIds[slot] !== null && members.activeHashHi[slot] === hashHi && members.activeHashLo[slot] === hashLo
    );
  }

  /**
   * A fresh row, linked to the member; the least useful one makes room when the member has its
   * fill.
   */
  addEntry(slot: number, hashHi: number, hashLo: number, hashHex: string): number {
    this.#makeRoom(slot);
    const { entries, members } = this;
    const entry = entries.take();
    this.#entriesMade++;
    entries.hashHex[entry] = hashHex;
    entries.address4[entry] = 0;
    entries.hashHi[entry] = hashHi;
    entries.hashLo[entry] = hashLo;
    entries.flags[entry] = 0;
    entries.lastHeardMs[entry] = Number.NEGATIVE_INFINITY;
    entries.silentFromMs[entry] = Number.NEGATIVE_INFINITY;
    entries.lastAckMs[entry] = Number.NEGATIVE_INFINITY;
    entries.passingSinceMs[entry] = 0;
    entries.meanMs[entry] = 0;
    entries.variance[entry] = 0;
    entries.beatAtMs[entry] = 0;
    entries.sinceAck[entry] = 0;
    entries.keyId[entry] = NO_KEY;
    entries.ackedActivation[entry] = 0;
    entries.ackedIncarnation[entry] = 0;
    entries.next[entry] = members.firstEntry[slot] as number;
    members.firstEntry[slot] = entry;
    if (this.isActive(slot, hashHi, hashLo)) members.activeEntry[slot] = entry;
    return entry;
  }

  /**
   * Never the activated one; strangers that never answered a challenge first, then by how long ago
   * they were heard.
   */
  #makeRoom(slot: number): void {
    const { entries, members } = this;
    let count = 0;
    let victim = NONE;
    for (let entry = members.firstEntry[slot] as number; entry !== NONE; entry = entries.next[entry] as number) {
      count++;
      if (entry === members.activeEntry[slot]) continue;
      if (victim === NONE || this.#worth(slot, entry) <= this.#worth(slot, victim)) victim = entry;
    }
    if (count >= this.settings.maxInstancesPerMember && victim !== NONE) this.dropEntry(slot, victim);
  }

  #worth(slot: number, entry: number): number {
    const heard = isHeard(this.entries, entry);
    const known = this.known.get(slot)?.has(this.entries.hashHex[entry] as string) === true;
    return (known ? 1e15 : 0) + (heard ? (this.entries.lastHeardMs[entry] as number) : -1);
  }

  dropEntry(slot: number, victim: number): void {
    const { entries, members } = this;
    let entry = members.firstEntry[slot] as number;
    if (entry === victim) members.firstEntry[slot] = entries.next[victim] as number;
    else {
      while (entries.next[entry] !== victim) entry = entries.next[entry] as number;
      entries.next[entry] = entries.next[victim] as number;
    }
    this.contests.forget(victim);
    entries.release(victim);
  }

  verdictOf(slot: number): OpinionVerdict {
    return VERDICTS[this.members.verdict[slot] as number] as OpinionVerdict;
  }

  /** Who is heard, but from two agents, is said to be so. */
  setVerdict(slot: number, verdict: OpinionVerdict, why: OpinionReason, nowMs: number): void {
    const { members, contests } = this;
    const twoSpeak = why === 'Heard' && contests.isTwo(members.activeEntry[slot] as number);
    const verdictCode = VERDICT_CODE[verdict];
    const reasonCode = REASON_CODE[twoSpeak ? 'TwoAgents' : why];
    if (members.verdict[slot] === verdictCode && members.reason[slot] === reasonCode) return;
    if (members.verdict[slot] !== verdictCode) members.sinceMs[slot] = nowMs;
    members.verdict[slot] = verdictCode;
    members.reason[slot] = reasonCode;
    this.markChanged(slot);
  }

  markChanged(slot: number): void {
    const flags = this.members.flags[slot] as number;
    if ((flags & MEMBER_FLAG.changed) !== 0) return;
    this.members.flags[slot] = flags | MEMBER_FLAG.changed;
    this.#changed.push(slot);
  }

  opinion(slot: number): Opinion {
    const { members, entries } = this;
    const entry = members.activeEntry[slot] as number;
    const heardAtMs = entry === NONE ? Number.NEGATIVE_INFINITY : (entries.lastHeardMs[entry] as number);
    return {
      member: members.ids[slot] as MemberId,
      instanceId: members.activeIds[slot] ?? null,
      verdict: this.verdictOf(slot),
      reason: OPINION_REASONS[members.reason[slot] as number] as OpinionReason,
      sinceMs: monotonicMs(members.sinceMs[slot] as number),
      lastHeardMs: heardAtMs === Number.NEGATIVE_INFINITY ? null : monotonicMs(heardAtMs),
      service: this.services.get(slot) ?? null,
    };
  }

  /**
   * Opinions that changed since the last call, except those `keepBack` wants to see again next
   * time.
   */
  takeChanges(keepBack: (opinion: Opinion) => boolean): Opinion[] {
    const taken: Opinion[] = [];
    const kept: number[] = [];
    for (const slot of this.#changed) {
      if (this.members.ids[slot] === null) {
        this.members.flags[slot] = 0;
        continue;
      }
      const opinion = this.opinion(slot);
      if (keepBack(opinion)) kept.push(slot);
      else {
        taken.push(opinion);
        this.members.flags[slot] = (this.members.flags[slot] as number) & ~MEMBER_FLAG.changed;
      }
    }
    this.#changed = kept;
    return taken;
  }
}
