import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { MemberId } from '@understudy/shared';
import { until } from '@understudy/shared/node';
import { membersBy } from '../audit/convergence.ts';
import { type ByHand, runTogether, type SecondAgent, startSecondAgent } from '../faults/second-agent.ts';
import type { Lab } from '../lab/lab.ts';
import { understudy } from '../operator.ts';
import type { Scenario, ScenarioResult } from '../scenario.ts';
import { present, stateLetterOf } from '../strike.ts';
import { fail, memberOutside, nothingBegins, seconds } from './while.ts';

/** `EX_UNAVAILABLE` (sysexits.h): another agent speaks for this member. */
const REFUSED_CODE = 69;
const SEEN_WITHIN_MS = 30_000;
/** Coordinators believe in two agents for half a minute after both were last proven to speak. */
const FORGOTTEN_WITHIN_MS = 60_000;

/** A process that was not waited for yet is gone, too. */
const isGone = (pid: number): boolean => [null, 'Z'].includes(stateLetterOf(pid));

/** What every coordinator says of a member at this moment. */
const sayingOf = async (lab: Lab, member: MemberId) =>
  Promise.all(lab.seats.map(async (seat) => (await membersBy(seat)).find((one) => one.member === member)));

async function refused(lab: Lab, byHand: ByHand): Promise<ScenarioResult> {
  const member = memberOutside(lab);
  const { instanceId } = lab.incumbent(member);
  const second = startSecondAgent(lab, member, byHand);
  const code = await second.exited;
  assert.equal(code, REFUSED_CODE, `${second.said.errors}${second.said.out}`);
  assert.ok(second.said.errors.includes(`process ${second.servicePid} `), second.said.errors);
  assert.ok(!second.said.out.includes('agent.started'), 'it spoke before it was refused');
  await nothingBegins(lab);
  for (const view of await sayingOf(lab, member)) assert.deepEqual([view?.verdict, view?.hold], ['alive', null]);
  assert.notEqual(stateLetterOf(second.servicePid), null, 'the agent of the service lives on');
  const evidence = `a second agent for ${member} on ${instanceId} (${byHand.stateDir ?? 'the same state directory'})`;
  const outcome = `ended with ${code} before it spoke, naming process ${second.servicePid}; nobody noticed`;
  return { evidence, outcome, victims: [], replaced: [] };
}

/**
 * Starts an agent that shares nothing with the service's. Waits until the coordinators hold the
 * member for it.
 */
async function twoSpeak(lab: Lab, member: MemberId): Promise<SecondAgent> {
  const rootDir = join(lab.folder.path, 'second-root');
  const second = startSecondAgent(lab, member, { rootDir });
  const held = async () =>
    (await membersBy(lab.leaderSeat)).find((one) => one.member === member)?.hold?.reason === 'TwoAgents';
  await until(`${member} held for two agents`, held, SEEN_WITHIN_MS);
  assert.ok(runTogether(second), 'both run on one host');
  return second;
}

async function twoOnAHealthyHost(lab: Lab): Promise<ScenarioResult> {
  const member = memberOutside(lab);
  const { instanceId } = lab.incumbent(member);
  const second = await twoSpeak(lab, member);
  const told = await understudy(lab, 'explain', member);
  assert.match(told.out, /TwoAgents/);
  await nothingBegins(lab);
  assert.ok(runTogether(second), 'both ran all the time');
  for (const view of await sayingOf(lab, member)) assert.equal(view?.verdict, 'alive');
  second.child.kill('SIGTERM');
  assert.equal(await second.exited, 0);
  await until(
    'no hold',
    async () => (await sayingOf(lab, member)).every((view) => view?.hold === null),
    FORGOTTEN_WITHIN_MS,
  );
  assert.equal(lab.incumbent(member).instanceId, instanceId);
  const evidence = `processes ${second.servicePid} and ${present(second.child.pid)} spoke for ${member} in one network namespace`;
  const outcome = 'held as TwoAgents, alive, not fenced; no hold once the second one had ended';
  return { evidence, outcome, victims: [], replaced: [] };
}

async function hostWithTwoDies(lab: Lab): Promise<ScenarioResult> {
  const member = memberOutside(lab);
  const second = await twoSpeak(lab, member);
  const replaced = fail(lab, member);
  second.child.kill('SIGKILL');
  await second.exited;
  await until('the agent of the service is gone', () => isGone(second.servicePid), 5_000);
  const tookMs = await replaced();
  const evidence = `${member} held as TwoAgents; then the power of its host went, and with it both`;
  return { evidence, outcome: `replaced in ${seconds(tookMs)}`, victims: [member], replaced: [member] };
}

export const SECOND_AGENTS: readonly Scenario[] = [
  {
    name: 'second-agent-same-state',
    fault: "a second agent started by hand with the service's own configuration",
    expected: 'refused with the pid of the first; nobody notices',
    run: (lab) => refused(lab, {}),
  },
  {
    name: 'second-agent-other-state',
    fault: 'the same with another state directory',
    expected: 'refused with the pid of the first; nobody notices',
    run: (lab) => refused(lab, { stateDir: '/tmp/by-hand' }),
  },
  {
    name: 'two-agents-speak',
    fault: 'a second agent that shares nothing with the first speaks for its member',
    expected: 'held, never fenced; as before once it has ended',
    run: twoOnAHealthyHost,
  },
  {
    name: 'two-agents-host-dies',
    fault: 'the host on which two agents speak loses its power',
    expected: 'the hold ends; replaced, once',
    run: hostWithTwoDies,
  },
];
