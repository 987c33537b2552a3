import assert from 'node:assert/strict';
import { setTimeout as wait } from 'node:timers/promises';
import {
  CoordinatorRecordSchema,
  FEATURE_LEVEL,
  FeatureLevelRecordSchema,
  type KvEvent,
  keyspace,
  type MemberId,
  opIdOf,
  parseRecord,
} from '@understudy/shared';
import { until } from '@understudy/shared/node';
import { finished, successorOf } from '../after-the-strike.ts';
import { converge } from '../audit/convergence.ts';
import type { Lab, NextBuild, Seat } from '../lab/lab.ts';
import { MADE_UP_FIELD, MADE_UP_VERDICT } from '../lab/next-build-edits.ts';
import type { Scenario, ScenarioResult } from '../scenario.ts';
import { present, strikeLeader } from '../strike.ts';
import { holdOf } from './one-recovery.ts';
import { fail, memberOutside, nothingBegins, statusOf } from './while.ts';

const KEYS = keyspace();
/** Records that each leader writes again and again, and whose fields must survive. */
const REWRITTEN = [KEYS.intents, KEYS.journal, KEYS.activations, KEYS.members, KEYS.history];

type Json = Readonly<Record<string, unknown>>;

/** Watches what becomes of the next build's field when this build writes a record again. */
class FieldWatch {
  readonly dropped: string[] = [];
  /** Records with the field that this build wrote again, and by whom they are called. */
  readonly kept: string[] = [];
  readonly #last = new Map<string, Json>();
  readonly #old: ReadonlySet<string>;
  readonly stop: () => void;

  constructor(lab: Lab, old: readonly Seat[]) {
    this.#old = new Set(old.map(({ id }) => id));
    this.stop = lab.onKey((event) => this.#note(event));
  }

  #note(event: KvEvent): void {
    const key = event.kind === 'put' ? event.entry.key : event.key;
    if (!REWRITTEN.some((area) => key.startsWith(area))) return;
    const before = this.#last.get(key);
    if (event.kind !== 'put') {
      this.#last.delete(key);
      return;
    }
    const record = JSON.parse(event.entry.value) as Json;
    this.#last.set(key, record);
    if (before?.['madeUp'] === undefined || !this.#old.has(String(record['writtenBy']))) return;
    const list = JSON.stringify(record['madeUp']) === JSON.stringify(MADE_UP_FIELD) ? this.kept : this.dropped;
    list.push(key.slice(KEYS.root.length));
  }
}

async function levelOf(lab: Lab, seat: Seat): Promise<number | null> {
  const entry = await lab.store.get(KEYS.coordinator(seat.id));
  return entry === null ? null : parseRecord(CoordinatorRecordSchema, entry.key, entry.value).featureLevel;
}

async function agreed(lab: Lab): Promise<number | null> {
  const entry = await lab.store.get(KEYS.level);
  return entry === null ? null : parseRecord(FeatureLevelRecordSchema, entry.key, entry.value).level;
}

/** Another build in a seat, until the scenario is over. */
async function seatNext(lab: Lab, seats: readonly Seat[], next: NextBuild = {}): Promise<void> {
  for (const seat of seats) await seat.process.kill();
  for (const seat of seats) lab.restart(seat, 'real', next);
  for (const seat of seats)
    await until(
      `${seat.id} is of the next build`,
      async () => (await levelOf(lab, seat)) === FEATURE_LEVEL + 1,
      // It starts from edited sources, file by file: many times as slow as ours on a busy machine.
      60_000,
    );
}

async function seatThis(lab: Lab, seat: Seat): Promise<void> {
  await seat.process.kill();
  lab.restart(seat);
}

/**
 * All of this build again. A level that was raised is forgotten, which only a laboratory may do:
 * nothing that belongs to it was written.
 */
function thisBuildLater(lab: Lab): void {
  lab.undoLater(async () => {
    for (const seat of lab.seats) await seat.process.kill();
    const entry = await lab.store.get(KEYS.level);
    if (entry !== null)
      await lab.store.txn({
        compare: [{ key: KEYS.level, modRevision: entry.modRevision }],
        writes: [{ kind: 'delete', key: KEYS.level }],
      });
    for (const seat of lab.seats) lab.restart(seat);
  });
}

const others = (lab: Lab, seat: Seat): readonly Seat[] => lab.seats.filter((one) => one !== seat);

/** This build leads and two of the next stand by; or the other way round. */
async function beside(lab: Lab, leads: 'this' | 'next'): Promise<void> {
  thisBuildLater(lab);
  await seatNext(lab, others(lab, lab.leaderSeat));
  await converge(lab);
  if (leads === 'this') return;
  const old = lab.leaderSeat;
  await seatThis(lab, old);
  await until('one of the next build leads', () => lab.leader !== null && lab.leaderSeat !== old, 20_000);
  for (const seat of others(lab, lab.leaderSeat)) if (seat !== old) await seatThis(lab, seat);
  await converge(lab);
}

async function leaderDies(lab: Lab, leads: 'this' | 'next'): Promise<ScenarioResult> {
  await beside(lab, leads);
  const leader = lab.leaderSeat;
  const standBys = others(lab, leader);
  const [led, stood] = leads === 'this' ? [FEATURE_LEVEL, FEATURE_LEVEL + 1] : [FEATURE_LEVEL + 1, FEATURE_LEVEL];
  assert.equal(await levelOf(lab, leader), led);
  for (const seat of standBys) assert.equal(await levelOf(lab, seat), stood);
  const watch = new FieldWatch(lab, leads === 'this' ? [leader] : standBys);
  const member = memberOutside(lab, leader.zone);
  const struck = await strikeLeader(lab, member, { step: 'launch-1', action: 'RunInstances' }, 'SIGKILL');
  assert.equal(struck.seat, leader);
  const intent = present(await lab.store.get(KEYS.intent(member)));
  assert.equal('madeUp' in (JSON.parse(intent.value) as Json), leads === 'next');
  const successor = lab.seat((await successorOf(lab, struck)).id);
  assert.equal(await levelOf(lab, successor), stood);
  const history = await finished(lab, struck);
  watch.stop();
  assert.equal(history.outcome, 'replaced');
  assert.deepEqual(watch.dropped, [], 'this build dropped what the next one had written');
  if (leads === 'next')
    assert.ok(
      watch.kept.some((key) => key.startsWith('journal/')),
      'it wrote a step again',
    );
  assert.equal(await agreed(lab), FEATURE_LEVEL);
  const evidence = `${leader.id} (level ${led}) ended by ${struck.process.endedBy} in the middle of a launch, ${standBys.map(({ id }) => id).join(' and ')} of level ${stood}`;
  const kept = leads === 'next' ? `; ${watch.kept.length} records rewritten with the unknown field in them` : '';
  const outcome = `${successor.id} (level ${stood}) finished it in ${history.launchAttempts} attempt(s)${kept}`;
  return { evidence, outcome, victims: [member], replaced: [member] };
}

const opinionOf = async (lab: Lab, member: MemberId, seat: Seat): Promise<string | null> => {
  const entry = await lab.store.get(KEYS.opinion(member, seat.id));
  return entry === null ? null : String((JSON.parse(entry.value) as Json)['verdict']);
};

/** The next build has an opinion of a member that this build, which leads, has no word for. */
async function unknownVeto(lab: Lab): Promise<ScenarioResult> {
  thisBuildLater(lab);
  const leader = lab.leaderSeat;
  const member = memberOutside(lab, leader.zone);
  const [vouching] = others(lab, leader);
  await seatNext(lab, [present(vouching)], { vouchesFor: member });
  const said = async () => (await opinionOf(lab, member, present(vouching))) === MADE_UP_VERDICT;
  await until(`${present(vouching).id} vouches for ${member}`, said, 20_000);
  assert.equal(lab.leaderSeat, leader);
  await wait(3_000);
  const replaced = fail(lab, member);
  await nothingBegins(lab);
  assert.equal(await said(), true, 'it vouches all the time');
  assert.equal(lab.leaderSeat, leader);
  assert.equal(await holdOf(lab, member), 'RecordUnreadable');
  await seatNext(lab, [present(vouching)]);
  const tookMs = await replaced();
  const evidence = `${present(vouching).id} (level ${FEATURE_LEVEL + 1}) said "${MADE_UP_VERDICT}" of ${member}, whose machine was off`;
  const outcome = `${leader.id} (level ${FEATURE_LEVEL}) held it (RecordUnreadable) while that was said; replaced ${Math.round(tookMs)} ms after the failure`;
  return { evidence, outcome, victims: [member], replaced: [member] };
}

/** All are of the next build and have agreed on its level; then this build comes back. */
async function lateReturn(lab: Lab): Promise<ScenarioResult> {
  thisBuildLater(lab);
  await seatNext(lab, lab.seats);
  await until('the next level is agreed on', async () => (await agreed(lab)) === FEATURE_LEVEL + 1, 60_000);
  const returning = present(others(lab, lab.leaderSeat)[0]);
  await seatThis(lab, returning);
  const apart = async () => (await statusOf(returning))?.problems.some(({ code }) => code === 'BUILD_TOO_OLD');
  await until(`${returning.id} says that it is too old`, apart, 20_000);
  const member = memberOutside(lab, returning.zone, lab.leaderSeat.zone);
  const old = lab.incumbent(member).instanceId;
  const replaced = fail(lab, member);
  await replaced();
  assert.equal(await levelOf(lab, returning), null, 'it is not present');
  assert.equal((await returning.process.get('/readyz'))?.status, 503);
  const first = lab.leaderSeat;
  await first.process.kill();
  await until('another leads', () => lab.leader !== null && lab.leaderSeat !== first, 20_000);
  assert.notEqual(lab.leaderSeat, returning);
  await lab.leaderSeat.process.kill();
  await until('nobody leads', () => lab.leader === null, 20_000);
  await wait(10_000);
  assert.equal(lab.leader, null, 'the build that is too old leads not even alone');
  const evidence = `level ${FEATURE_LEVEL + 1} was agreed on; ${returning.id} came back at level ${FEATURE_LEVEL}, and was the last one that ran`;
  const outcome = `it was not present and not ready, and did not lead for 10 s alone; ${opIdOf(old)} was finished by the two others`;
  return { evidence, outcome, victims: [member], replaced: [member] };
}

export const NEIGHBOURING_BUILDS: readonly Scenario[] = [
  {
    name: 'builds-older-leads-and-dies',
    fault: 'SIGKILL to the leader, of this build, in the middle of a launch; the others are of the next',
    expected: 'the next build finishes; one launch',
    run: (lab) => leaderDies(lab, 'this'),
  },
  {
    name: 'builds-newer-leads-and-dies',
    fault: 'SIGKILL to the leader, of the next build, in the middle of a launch; the others are of this',
    expected: 'this build finishes, keeps what it does not know; one launch',
    run: (lab) => leaderDies(lab, 'next'),
  },
  {
    name: 'builds-unknown-veto',
    fault: 'the next build has an opinion of a dead member that this build has no word for',
    expected: 'held while it is said, replaced after',
    run: unknownVeto,
  },
  {
    name: 'builds-too-old-comes-back',
    fault: 'this build comes back after all others have agreed on the next level',
    expected: 'it takes no part, and leads not even alone',
    run: lateReturn,
  },
];
