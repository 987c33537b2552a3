import { readStepId } from '@understudy/recovery';
import { stepsReady, type StepState } from '@understudy/recovery/testing';
import {
  IntentRecordSchema,
  JournalRecordSchema,
  type Keyspace,
  type KvWrite,
  type MemberId,
  parseRecord,
  type RecoveryPlan,
} from '@understudy/shared';
import type { ClusterEvent } from '../cluster/cluster-event.ts';
import { STAGES, type Stage } from './fault.ts';

type Entered = (stage: Stage, member: MemberId) => void;

interface OpenRecovery {
  readonly member: MemberId;
  readonly plan: RecoveryPlan;
  readonly states: Map<string, StepState>;
  /** Ids of the steps that may run now. */
  ready: ReadonlySet<string>;
}

const isStage = (name: string): name is Stage => (STAGES as readonly string[]).includes(name);

/** Where every open recovery stands, read from what is written to etcd and nothing else. */
export class Stages {
  readonly #keys: Keyspace;
  readonly #onEnter: Entered;
  readonly #open = new Map<string, OpenRecovery>();
  /** Believed dead by somebody, and nothing written about it yet. */
  readonly #awaited = new Set<MemberId>();

  constructor(keys: Keyspace, onEnter: Entered) {
    this.#keys = keys;
    this.#onEnter = onEnter;
  }

  /** Never empty: `none` when no recovery is under way. */
  now(): readonly Stage[] {
    const found = new Set<Stage>(this.#awaited.size > 0 ? ['intent'] : []);
    for (const { ready } of this.#open.values())
      for (const step of ready) {
        const stage = stageOf(step);
        if (stage !== null) found.add(stage);
      }
    return found.size > 0 ? [...found] : ['none'];
  }

  onClusterEvent(clusterEvent: ClusterEvent): void {
    if (clusterEvent.kind !== 'commit') return;
    for (const write of clusterEvent.commit.txn.writes) this.#read(write);
  }

  #read(write: KvWrite): void {
    const { opinions, intents, journal, root } = this.#keys;
    if (write.kind === 'deletePrefix') return;
    const [, first = '', second = ''] = write.key.slice(root.length).split('/');
    if (write.key.startsWith(opinions)) this.#readOpinion(`${first}/${second}`, write);
    if (write.key.startsWith(intents)) this.#readIntent(`${first}/${second}`, write);
    if (write.key.startsWith(journal)) this.#readStep(first, second, write);
  }

  #readOpinion(member: MemberId, write: KvWrite): void {
    const dead = write.kind === 'put' && write.value.includes('"verdict":"dead"');
    if (!dead) this.#awaited.delete(member);
    else if (!this.#awaited.has(member) && ![...this.#open.values()].some((one) => one.member === member)) {
      this.#awaited.add(member);
      this.#onEnter('intent', member);
    }
  }

  #readIntent(member: MemberId, write: KvWrite): void {
    this.#awaited.delete(member);
    const before = [...this.#open].filter(([, known]) => known.member === member);
    for (const [opId] of before) this.#open.delete(opId);
    if (write.kind !== 'put') return;
    const { opId, plan } = parseRecord(IntentRecordSchema, write.key, write.value);
    // What an operator asks for rewrites the intent of a recovery: it goes on from where it stands.
    const { states = new Map(), ready = new Set<string>() } = before.find(([id]) => id === opId)?.[1] ?? {};
    const recovery: OpenRecovery = { member, plan, states, ready };
    this.#open.set(opId, recovery);
    this.#look(recovery);
  }

  #readStep(opId: string, step: string, write: KvWrite): void {
    const recovery = this.#open.get(opId);
    if (!recovery) return;
    if (write.kind === 'put') recovery.states.set(step, parseRecord(JournalRecordSchema, write.key, write.value).state);
    else recovery.states.delete(step);
    this.#look(recovery);
  }

  #look(recovery: OpenRecovery): void {
    const before = recovery.ready;
    recovery.ready = new Set(stepsReady(recovery.states, recovery.plan).map((step) => step.id));
    for (const id of recovery.ready) {
      const stage = before.has(id) ? null : stageOf(id);
      if (stage !== null) this.#onEnter(stage, recovery.member);
    }
  }
}

/** Steps in place of others: what strikes at those strikes at these. */
const STANDS_FOR: Readonly<Record<string, Stage>> = {
  ...{ reboot: 'launch', restart: 'launch', mend: 'verify' },
  ...{ detach: 'capture', copy: 'capture', seed: 'launch', assemble: 'launch', giveback: 'revoke' },
};

/** `launch-2` → `launch`. Null: nothing strikes at this step. */
function stageOf(step: string): Stage | null {
  const { name } = readStepId(step);
  return isStage(name) ? name : (STANDS_FOR[name] ?? null);
}
