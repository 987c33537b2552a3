import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { MemberId } from '@understudy/shared';
import { until } from '@understudy/shared/node';
import { converge, membersBy } from '../audit/convergence.ts';
import { Partition } from '../faults/partition.ts';
import { faketimeLibrary, stepClock } from '../faults/wall-clock.ts';
import { PORTS } from '../lab/configuration.ts';
import type { Lab, Seat } from '../lab/lab.ts';
import { coordinatorHost } from '../lab/network.ts';
import type { Scenario, ScenarioResult } from '../scenario.ts';
import { fail, memberOutside, nothingBegins, seconds } from './while.ts';

const STEP_S = 7_200;
const STEP_SEEN_WITHIN_MS = 20_000;
const ANSWERED_WITHIN_MS = 40_000;
/** A step is seen when a log line is dated this near to it. */
const TOLERANCE_S = 60;

/** How far the newest line of a JSON log is dated from the real time, s. */
function logOffsetS(text: string): number {
  const time = [...text.matchAll(/"time":"?([^",]+)/g)].at(-1)?.[1] ?? '';
  const wallMs = /^\d+$/.test(time) ? Number(time) : Date.parse(time);
  return (wallMs - Date.now()) / 1_000;
}

const sees = (text: string, offsetS: number): boolean => Math.abs(logOffsetS(text) - offsetS) < TOLERANCE_S;

/**
 * Puts all coordinators on clocks that can be stepped, so that the later leader's can be, and back
 * on the real one afterwards.
 */
async function withSteppedClocks(lab: Lab): Promise<void> {
  for (const seat of lab.seats) {
    stepClock(lab.clockFile(seat.zone), 0);
    await seat.process.kill('SIGTERM');
    lab.restart(seat, 'stepped');
  }
  lab.undoLater(async () => {
    for (const seat of lab.seats) await seat.process.kill('SIGTERM');
  });
  await converge(lab);
}

/**
 * A leader whose clock went back may take what happened in its future for recent, and hold for it,
 * where everybody can see it (I10).
 */
async function visibleHold(seat: Seat, member: MemberId): Promise<string | null> {
  const view = (await membersBy(seat)).find((one) => one.member === member);
  return view?.hold?.reason ?? null;
}

async function stepLeader(lab: Lab, offsetS: number): Promise<ScenarioResult> {
  await withSteppedClocks(lab);
  const seat = lab.leaderSeat;
  const term = lab.leader?.term;
  stepClock(lab.clockFile(seat.zone), offsetS);
  const member = memberOutside(lab, seat.zone);
  const { incarnation } = lab.incumbent(member);
  const replaced = fail(lab, member);
  const done = () => (lab.incumbent(member).incarnation > incarnation ? 'replaced' : null);
  const answer = await until(
    `${member} replaced or held`,
    async () => done() ?? (offsetS < 0 ? visibleHold(seat, member) : null),
    ANSWERED_WITHIN_MS,
  );
  assert.equal(lab.leader?.term, term, 'a step of the wall clock ended a term');
  // It logs little while it holds, so this also uses the last lines of an orderly stop, which are
  // dated as well.
  await seat.process.kill('SIGTERM');
  const seenS = logOffsetS(seat.process.output);
  assert.ok(Math.abs(seenS - offsetS) < TOLERANCE_S, `${seat.id} dates its log ${seenS} s from the real time`);
  const tookMs = await replaced();
  const evidence = `${seat.id}, the leader, dates its log ${seenS.toFixed(0)} s from the real time`;
  const first = answer === 'replaced' ? 'it went on leading' : `it went on leading and held: ${answer}`;
  return {
    evidence,
    outcome: `${first}; ${member} replaced in ${seconds(tookMs)}`,
    victims: [member],
    replaced: [member],
  };
}

const CLOCKED = 'lab/clocked';

/**
 * Makes an agent log, which it rarely does: one that cannot send to one of its coordinators says
 * so, and dates it.
 */
async function makeItSpeak(lab: Lab, instanceId: string): Promise<void> {
  const match = `ip daddr ${coordinatorHost.address('a')} udp dport ${PORTS.heartbeat}`;
  const mute = new Partition([{ namespace: instanceId, chain: 'output', match, verdict: 'drop', name: 'mute' }]);
  lab.undoLater(() => mute.heal());
  mute.apply();
}

async function stepAgent(lab: Lab, offsetS: number): Promise<ScenarioResult> {
  const { instanceId } = lab.incumbent(CLOCKED);
  const log = () => readFileSync(join(lab.folder.path, 'cloud', 'machines', instanceId, 'agent.log'), 'utf8');
  stepClock(lab.clockFile('agent'), offsetS);
  lab.undoLater(() => stepClock(lab.clockFile('agent'), 0));
  await nothingBegins(lab);
  await makeItSpeak(lab, instanceId);
  await until(`${instanceId} dates its log by the stepped clock`, () => sees(log(), offsetS), STEP_SEEN_WITHIN_MS);
  const evidence = `the agent of ${CLOCKED} (${instanceId}) dates its log ${logOffsetS(log()).toFixed(0)} s from the real time`;
  return { evidence, outcome: 'nobody replaced', victims: [], replaced: [] };
}

const refusal = () => (faketimeLibrary() === null ? 'libfaketime is not installed (apt-get install faketime)' : null);
const directions = [
  { word: 'forward', offsetS: STEP_S },
  { word: 'backward', offsetS: -STEP_S },
] as const;

export const CLOCKS: readonly Scenario[] = [
  ...directions.map(({ word, offsetS }) => ({
    name: `clock-leader-${word}`,
    fault: `the leader's wall clock steps 2 h ${word}`,
    expected:
      offsetS > 0
        ? 'it goes on leading and replaces a dead member'
        : 'it goes on leading and replaces a dead member, or visibly holds until the clock is right',
    refusal,
    run: (lab: Lab) => stepLeader(lab, offsetS),
  })),
  ...directions.map(({ word, offsetS }) => ({
    name: `clock-agent-${word}`,
    fault: `an agent's wall clock steps 2 h ${word}`,
    expected: 'nobody is replaced',
    refusal,
    run: (lab: Lab) => stepAgent(lab, offsetS),
  })),
];
