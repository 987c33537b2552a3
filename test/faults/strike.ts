import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { CloudSim, Fault, SimEvent } from '@understudy/cloud-sim';
import { stepId } from '@understudy/recovery/testing';
import {
  ActivationRecordSchema,
  IntentRecordSchema,
  JournalRecordSchema,
  type KvEvent,
  type KvStore,
  keyspace,
  type MemberId,
  opIdOf,
  parseRecord,
  TAG,
} from '@understudy/shared';
import type { CoordinatorProcess } from '@understudy/local-cluster';
import { until } from '@understudy/shared/node';

const KEYS = keyspace();

/** A call and its answer take less on a local EC2. */
const REST_MS = 100;
const REST_TRIES = 50;

export function present<T>(value: T | null | undefined): T {
  if (value === null || value === undefined) throw new Error('not there');
  return value;
}

/** One place in the cluster. A killed coordinator is started again in it. */
export interface Seat {
  readonly id: string;
  process: CoordinatorProcess;
}

/** The instance that plays a member now, as far as a strike needs to know it. */
export interface Incumbent {
  readonly instanceId: string;
  readonly incarnation: number;
  /** Absent: 0, no recovery of it has ended yet. */
  readonly ordinal?: number;
  readonly allocationId: string | null;
  readonly associationId: string | null;
}

/** What a strike needs of the cluster it hits: that of the leader faults, or the fault lab. */
export interface StrikeTarget {
  readonly store: KvStore;
  readonly sim: CloudSim;
  readonly cloudUrl: string;
  readonly seats: readonly Seat[];
  readonly leader: { readonly coordinatorId: string; readonly term: number } | null;
  seat(coordinatorId: string): Seat;
  incumbent(member: MemberId): Incumbent;
  /**
   * Calls the listener synchronously, as the watch reports it. Returns the unsubscribe function.
   */
  onKey(listener: (event: KvEvent) => void): () => void;
  /** Takes the power from an instance. */
  crash(instanceId: string): void;
}

/** When the leader is struck: in the middle of this step. */
export interface Moment {
  /**
   * A step as in the journal; `address` stands for the first address, and `intent` for the moment
   * the intent is in etcd.
   */
  readonly step: string;
  /**
   * EC2 has this call of the step, and the leader does not have the answer yet. Absent: as soon as
   * etcd shows the step started.
   */
  readonly action?: string;
  /** Only once EC2 carries it out: it refuses what names a thing that it does not show yet. */
  readonly executed?: true;
  /** What happens to that call. */
  readonly fault?: Omit<Fault, 'id' | 'action'>;
  /** Another call the fault happens to, when the strike waits for etcd. */
  readonly faultOf?: string;
}

export interface Struck {
  readonly member: MemberId;
  readonly old: Incumbent;
  readonly opId: string;
  readonly seat: Seat;
  readonly process: CoordinatorProcess;
  readonly term: number;
  /** Number of the newest cloud event before the machine crashed. */
  readonly crashSeq: number;
  readonly faultId: string | null;
  /** Calls that change something, counted by the process itself, before the machine crashed. */
  readonly changesBefore: number;
}

/** `R`, `S`, `T` (stopped) … Null: there is no such process. */
export function stateLetterOf(pid: number): string | null {
  try {
    return /\) (\w) /.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1] ?? null;
  } catch {
    return null;
  }
}

const isChange = (action: string): boolean => !/^(?:Describe|Get)/.test(action);

/** Calls that change something, by the coordinator's own count. None while it still starts. */
export async function changesCountedBy(process: CoordinatorProcess): Promise<number> {
  const { body } = (await process.get('/metrics')) ?? { body: '' };
  const lines = [...body.matchAll(/^\S*ec2_calls_total\{action="(\w+)",[^}]*\} (\d+)$/gm)];
  return lines.reduce((sum, [, action = '', count = '0']) => sum + (isChange(action) ? Number(count) : 0), 0);
}

/**
 * Calls that change something and arrived at EC2 after `seq`. A landing of one that arrived earlier
 * does not count.
 */
export const changesArrivedSince = (target: StrikeTarget, seq: number): number =>
  target.sim.log.calls().filter((call) => call.seq > seq && isChange(call.action)).length;

/**
 * What every coordinator has counted, at a moment at which nothing is under way: a call that has
 * arrived is counted only when its answer is there. Where there is no rest, as it is after seconds.
 */
async function countedAtRest(target: StrikeTarget) {
  const read = async () => {
    const crashSeq = target.sim.log.lastSeq;
    const each = target.seats.map(async ({ id, process }) => [id, await changesCountedBy(process)] as const);
    return { crashSeq, counts: await Promise.all(each) };
  };
  let before = await read();
  for (let tries = 0; tries < REST_TRIES; tries++) {
    await wait(REST_MS);
    const { counts } = await read();
    if (changesArrivedSince(target, before.crashSeq) === 0 && isDeepStrictEqual(before.counts, counts)) break;
    before = await read();
  }
  return before;
}

function isOfStep(old: Incumbent, moment: Moment, seen: ReadonlySet<string>, event: SimEvent) {
  if (event.kind !== 'call' || event.action !== moment.action) return false;
  if (moment.executed && !event.executed) return false;
  const input = JSON.stringify(event.input);
  // The fence tags the old instance, too.
  if (moment.step === 'done' && !seen.has('activate done')) return false;
  const names = [opIdOf(old.instanceId, old.ordinal), old.instanceId, old.associationId ?? '', old.allocationId ?? ''];
  if (moment.step === 'activate') return seen.has('verify-1 done') && input.includes(`["${old.instanceId}"]`);
  return names.some((name) => name !== '' && input.includes(`"${name}"`));
}

const isIntentOf = (old: Incumbent, entry: { readonly key: string; readonly value: string }): boolean =>
  entry.key.startsWith(KEYS.intents) &&
  parseRecord(IntentRecordSchema, entry.key, entry.value).oldInstanceId === old.instanceId;

/** Sends `signal` to the leader in the very moment. Resolves right after. */
function strikeAt(target: StrikeTarget, old: Incumbent, moment: Moment, signal: NodeJS.Signals): Promise<string> {
  const seen = new Set<string>();
  const prefix = KEYS.journalOf(opIdOf(old.instanceId, old.ordinal));
  return new Promise((resolve) => {
    const strike = () => {
      offKey();
      offEvent();
      const { coordinatorId } = present(target.leader);
      target.seat(coordinatorId).process.signal(signal);
      resolve(coordinatorId);
    };
    const offKey = target.onKey((event) => {
      if (event.kind !== 'put') return;
      if (moment.step === 'intent' && isIntentOf(old, event.entry)) return strike();
      if (!event.entry.key.startsWith(prefix)) return;
      const { step, state } = parseRecord(JournalRecordSchema, event.entry.key, event.entry.value);
      seen.add(`${step} ${state}`);
      if (moment.action === undefined && step === moment.step && state === 'started') strike();
    });
    const offEvent = target.sim.onEvent((event) => {
      if (isOfStep(old, moment, seen, event)) strike();
    });
  });
}

async function addFault(target: StrikeTarget, old: Incumbent, moment: Moment, id: string): Promise<string | null> {
  const action = moment.faultOf ?? moment.action;
  if (!moment.fault || !action) return null;
  const match =
    action === 'RunInstances'
      ? { tag: { key: TAG.op, value: opIdOf(old.instanceId, old.ordinal) } }
      : { resourceId: action === 'DisassociateAddress' ? present(old.associationId) : old.instanceId };
  const body = JSON.stringify({ ...moment.fault, id, action, match });
  const headers = { 'content-type': 'application/json' };
  const reply = await fetch(`${target.cloudUrl}/_sim/faults`, { method: 'POST', body, headers });
  assert.equal(reply.status, 200);
  return id;
}

/**
 * Crashes the member's machine, or has it recovered otherwise (`fail`), and strikes the leader in
 * the middle of a step of its recovery. Asserts that this is what happened.
 */
export async function strikeLeader(
  target: StrikeTarget,
  member: MemberId,
  moment: Moment,
  signal: 'SIGKILL' | 'SIGSTOP',
  fail: (instanceId: string) => void | Promise<void> = (instanceId) => target.crash(instanceId),
): Promise<Struck> {
  const old = target.incumbent(member);
  // A test that is run again wants another fault.
  const faultId = await addFault(target, old, moment, `fault of ${member} after ${target.sim.log.lastSeq}`);
  const { counts, crashSeq } = await countedAtRest(target);
  const struck = strikeAt(target, old, moment, signal);
  await fail(old.instanceId);
  const seat = target.seat(await Promise.race([struck, tooLong(target, member, moment)]));
  const { process } = seat;
  await expectGone(process, signal);
  const leader = present(await target.store.get(KEYS.leader));
  await expectInTheMiddle(target, member, old, moment);
  if (faultId !== null) assert.equal(target.sim.fired(faultId), 1, `${faultId} did not fire`);
  const opId = opIdOf(old.instanceId, old.ordinal);
  const changesBefore = new Map(counts).get(seat.id) ?? 0;
  const term = leader.createRevision;
  assert.deepEqual(target.leader, { coordinatorId: seat.id, term });
  return { member, old, opId, seat, process, term, crashSeq, faultId, changesBefore };
}

/** Tells what each coordinator says of the member, because nobody can ask them afterwards. */
async function tooLong({ seats }: StrikeTarget, member: MemberId, { step }: Moment): Promise<never> {
  await wait(40_000, undefined, { ref: false });
  const told = await Promise.all(seats.map(({ process }) => process.get(`/v1/members/${member}/explain`)));
  const words = told.map((reply, index) => `${seats[index]?.id}: ${reply?.body ?? 'no answer'}`);
  throw new Error(`never came to ${step} of ${member}\n${words.join('\n')}`);
}

async function expectGone(process: CoordinatorProcess, signal: 'SIGKILL' | 'SIGSTOP'): Promise<void> {
  const pid = present(process.pid);
  if (signal === 'SIGSTOP') {
    await until('stopped', () => stateLetterOf(pid) === 'T', 1_000);
    return;
  }
  await process.exited;
  assert.equal(process.endedBy, 'SIGKILL');
  assert.equal(stateLetterOf(pid), null);
}

/**
 * Checks that the step is begun and not ended. Activation is one transaction without a `started`
 * record, so there it is verified but not activated. The intent is one transaction too, so there it
 * stands and the first step is not done.
 */
async function expectInTheMiddle(
  target: StrikeTarget,
  member: MemberId,
  old: Incumbent,
  moment: Moment,
): Promise<void> {
  const { entries } = await target.store.range(KEYS.journalOf(opIdOf(old.instanceId, old.ordinal)));
  const records = entries.map((entry) => parseRecord(JournalRecordSchema, entry.key, entry.value));
  const states = new Map(records.map(({ step, state }) => [step, state]));
  if (moment.step === 'intent') {
    assert.ok(await target.store.get(KEYS.intent(member)), 'the intent stands');
    return assert.notEqual(states.get('fence'), 'done', 'nothing is done yet');
  }
  if (moment.step !== 'activate') {
    const step = moment.step === 'address' ? stepId('address', old.allocationId ?? '') : moment.step;
    return assert.equal(states.get(step), 'started', `${step} is not in the middle: ${JSON.stringify([...states])}`);
  }
  assert.equal(states.get('verify-1'), 'done');
  assert.equal(states.has('activate'), false);
  const entry = present(await target.store.get(KEYS.activation(member)));
  const activation = parseRecord(ActivationRecordSchema, entry.key, entry.value);
  assert.equal(activation.instanceId, old.instanceId);
  assert.equal(activation.incarnation, old.incarnation);
}
