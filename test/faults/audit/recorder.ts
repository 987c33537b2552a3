import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CloudSim, SimEvent } from '@understudy/cloud-sim';
import { readStepId } from '@understudy/recovery';
import {
  type HistoryRecord,
  HistoryRecordSchema,
  type IntentRecord,
  IntentRecordSchema,
  isReattach,
  type KvEvent,
  keyspace,
  type MemberId,
  parseRecord,
  TAG,
} from '@understudy/shared';

const KEYS = keyspace();

/** A recovery, as it was seen from outside. */
export interface SeenRecovery {
  readonly opId: string;
  readonly member: MemberId;
  readonly oldInstanceId: string;
  /** etcd revision at which the fence was recorded as observed. Null: not yet. */
  fencedRevision: number | null;
  /** The old instance was not seen to stop: its serve lease was waited out. */
  fencedByLease: boolean;
  /** Its plan goes on with the seed that was launched for the suspect (S31). */
  readonly hasSeed: boolean;
  /** etcd revision of the first record of a launch, but for that of the seed. */
  launchRevision: number | null;
  /** The outcome in its history. Null while it is open. */
  outcome: HistoryRecord['outcome'] | null;
}

/** One stretch during which an instance served its member, in seconds of machine uptime. */
export interface Serving {
  readonly member: string;
  readonly instanceId: string;
  readonly fromS: number;
  readonly toS: number;
}

/** What made an instance more than a machine in quarantine, and when by EC2's order. */
interface Deed {
  readonly seq: number;
  readonly what: string;
}

/** Seconds since this machine booted, by a clock that nobody steps. */
export const uptimeS = (): number => Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]);

/**
 * Watches EC2's events and etcd's writes from the first moment on. The invariants are checked
 * against what it saw.
 */
export class Recorder {
  readonly recoveries = new Map<string, SeenRecovery>();
  readonly #sim: CloudSim;
  readonly #servingDir: string;
  /** Sequence numbers of EC2's events: when an instance was launched, first stopped, terminated. */
  readonly #launchedSeq = new Map<string, number>();
  readonly #stoppedSeq = new Map<string, number>();
  readonly #terminatedSeq = new Map<string, number>();
  /** By instance: the first call of each action that EC2 carried out. */
  readonly #deeds = new Map<string, readonly Deed[]>();
  /** Uptimes at which an instance lost its power. */
  readonly #powerOffS = new Map<string, number[]>();

  constructor(sim: CloudSim, servingDir: string) {
    this.#sim = sim;
    this.#servingDir = servingDir;
    sim.onEvent((event) => this.#onEvent(event));
  }

  onKey(event: KvEvent): void {
    if (event.kind !== 'put') return;
    const { key, value, modRevision } = event.entry;
    if (key.startsWith(KEYS.intents)) {
      const { opId, member, oldInstanceId, plan } = parseRecord(IntentRecordSchema, key, value);
      if (!this.recoveries.has(opId))
        this.recoveries.set(opId, {
          opId,
          member,
          oldInstanceId,
          hasSeed: goesOnWithSeed(plan),
          fencedRevision: null,
          fencedByLease: false,
          launchRevision: null,
          outcome: null,
        });
    }
    if (key.startsWith(KEYS.history)) {
      const { opId, outcome } = parseRecord(HistoryRecordSchema, key, value);
      const ended = this.recoveries.get(opId);
      if (ended) ended.outcome = outcome;
    }
    if (!key.startsWith(KEYS.journal)) return;
    const [opId = '', step = ''] = key.slice(KEYS.journal.length).split('/');
    const recovery = this.recoveries.get(opId);
    if (!recovery) return;
    if (step === 'fence' && value.includes('"state":"done"')) {
      recovery.fencedRevision ??= modRevision;
      recovery.fencedByLease = value.includes('"how":"lease"');
    }
    const { name, attempt } = readStepId(step);
    if (name === 'launch' && !(recovery.hasSeed && attempt === 1)) recovery.launchRevision ??= modRevision;
  }

  /** Instances launched for a recovery, oldest first. */
  launchedFor(opId: string): readonly string[] {
    return this.#sim.log.launches().flatMap(({ instanceId, tags }) => (tags[TAG.op] === opId ? [instanceId] : []));
  }

  /** It was launched for a suspect, without what makes an instance a member (S31). */
  launchedInQuarantine(instanceId: string): boolean {
    const tags = this.#sim.log.launches().find((one) => one.instanceId === instanceId)?.tags;
    return tags?.[TAG.preparedFor] !== undefined && tags[TAG.member] === undefined;
  }

  /** True when the one instance certainly stopped before the other was launched. */
  stoppedBeforeLaunch(stopped: string, launched: string): boolean {
    return isBefore(this.#stoppedSeq.get(stopped), this.#launchedSeq.get(launched));
  }
  /**
   * What EC2 did to an instance that makes it the member, a disk's machine or one that runs, before
   * the other one had certainly stopped: names of the actions.
   */
  madeMemberBeforeStop(instanceId: string, stopped: string): readonly string[] {
    const stoppedSeq = this.#stoppedSeq.get(stopped);
    return (this.#deeds.get(instanceId) ?? []).flatMap(({ seq, what }) => (isBefore(stoppedSeq, seq) ? [] : [what]));
  }
  terminatedBeforeLaunch(terminated: string, launched: string): boolean {
    return isBefore(this.#terminatedSeq.get(terminated), this.#launchedSeq.get(launched));
  }

  /**
   * Which instance served when, by the workloads' own ledgers. A machine without power serves
   * nobody.
   */
  serving(): readonly Serving[] {
    const endS = uptimeS();
    return readdirSync(this.#servingDir).flatMap((member) => {
      const lines = readFileSync(join(this.#servingDir, member), 'utf8').trim().split('\n');
      const entries = lines
        .map((line) => line.split(' '))
        .map(([word, id = '', at]) => ({ word, id, atS: Number(at) }));
      return entries.flatMap(({ word, id, atS }, index) => {
        if (word !== 'on') return [];
        const off = entries.slice(index + 1).find((later) => later.id === id && later.word === 'off')?.atS ?? endS;
        const powerOff = this.#powerOffS.get(id)?.find((each) => each >= atS) ?? endS;
        return [{ member, instanceId: id, fromS: atS, toS: Math.min(off, powerOff) }];
      });
    });
  }

  /** True when an instance serves right now. */
  serves(instanceId: string): boolean {
    const nowS = uptimeS();
    return this.serving().some((one) => one.instanceId === instanceId && one.toS >= nowS);
  }

  /** The first of its kind only: a later one was before no stop that the first was not before. */
  #note(instanceId: string, deed: Deed): void {
    const known = this.#deeds.get(instanceId) ?? [];
    if (!known.some(({ what }) => what === deed.what)) this.#deeds.set(instanceId, [...known, deed]);
  }

  #onEvent(event: SimEvent): void {
    if (event.kind === 'call' && event.executed && event.input['DryRun'] !== true)
      for (const id of madeMemberBy(event.action, event.input)) this.#note(id, { seq: event.seq, what: event.action });
    if (event.kind !== 'transition' || event.resourceKind !== 'instance') return;
    const { resourceId: id, to, seq } = event;
    if (event.from === null) this.#launchedSeq.set(id, seq);
    if (to === 'terminated' && !this.#terminatedSeq.has(id)) this.#terminatedSeq.set(id, seq);
    const down = to === 'stopped' || to === 'terminated';
    if (down && !this.#stoppedSeq.has(id)) this.#stoppedSeq.set(id, seq);
    if (down || event.detail['crash'] === true)
      this.#powerOffS.set(id, [...(this.#powerOffS.get(id) ?? []), uptimeS()]);
  }
}

const isBefore = (first: number | undefined, second: number | undefined): boolean =>
  first !== undefined && second !== undefined && first < second;

const goesOnWithSeed = (plan: IntentRecord['plan']): boolean => isReattach(plan) && plan.seed.inQuarantine === true;

/** Actions by which an instance gets a disk, an interface or an address. */
const GIVES: ReadonlySet<string> = new Set(['AttachVolume', 'AttachNetworkInterface', 'AssociateAddress']);

/** The instances that a call takes out of quarantine (S31): it names, starts or equips them. */
function madeMemberBy(action: string, input: Readonly<Record<string, unknown>>): readonly string[] {
  if (action === 'StartInstances') return textsIn(input['InstanceIds']);
  if (GIVES.has(action)) return textsIn([input['InstanceId']]);
  if (action !== 'CreateTags') return [];
  const tags: readonly unknown[] = Array.isArray(input['Tags']) ? input['Tags'] : [];
  return tags.some(isMemberTag) ? textsIn(input['Resources']) : [];
}

const isMemberTag = (tag: unknown): boolean =>
  typeof tag === 'object' && tag !== null && 'Key' in tag && tag.Key === TAG.member;

const textsIn = (list: unknown): readonly string[] =>
  Array.isArray(list) ? list.filter((one): one is string => typeof one === 'string') : [];
