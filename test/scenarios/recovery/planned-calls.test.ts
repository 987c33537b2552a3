import type { CallEvent, SeededInstance } from '@understudy/cloud-sim';
import { gatherPlanInput, launchPlan, type PlannedStep, plannedSteps, trialLaunchOf } from '@understudy/recovery';
import type { IntentRecord } from '@understudy/shared';
import { isLater, REGISTERED, stepsOf } from '@understudy/recovery/testing';
import { joinedChanges } from '@understudy/shared/testing';
import { describe, expect, test } from 'vitest';
import { RecoveryFixture, type RecoveryFixtureOptions } from './recovery-fixture.ts';
import { beginUndo, replacedMember } from './undo-scene.ts';

/**
 * `understudy plan` tells each call before it is made. Here a recovery is carried out by the very
 * plan, and what EC2 was sent is held against what had been told.
 */

/** Everything that a plan can have in it. */
const RICH: RecoveryFixtureOptions = {
  dataVolumes: 2,
  request: {
    DisableApiTermination: true,
    DisableApiStop: true,
    UserData: Buffer.from('secret: of-the-agent').toString('base64'),
    BlockDeviceMappings: [
      { DeviceName: '/dev/xvda', Ebs: { DeleteOnTermination: true } },
      { DeviceName: '/dev/sdf', Ebs: { VolumeSize: 10, DeleteOnTermination: false } },
    ],
  },
};

/** Where it is replaced, its primary private address follows. */
const FOLLOWED: RecoveryFixtureOptions = { ...RICH, policy: { identity: { primaryAddress: 'follow' } } };

interface Told {
  readonly scene: RecoveryFixture;
  readonly old: SeededInstance;
  readonly steps: readonly PlannedStep[];
}

async function told(name: string, options: RecoveryFixtureOptions): Promise<Told> {
  const strategy = REGISTERED.strategies.find((one) => one.name === name);
  if (!strategy) throw new Error(`no strategy ${name}`);
  if (name === 'undo') return toldOfUndo(options);
  const scene = new RecoveryFixture({
    ...options,
    strategy,
    policy: joinedChanges({ recover: { ladder: { rungs: [name] } } } as never, options.policy ?? {}),
  });
  const old = scene.seedMember(undefined, options);
  const { record } = await scene.begin(old);
  // A machine that stays where it is answers until it is rebooted or stopped.
  if (launchPlan(record.plan) !== null) scene.sim.crashInstance(old.instanceId);
  else await scene.clock.advance(10_000);
  return { scene, old, steps: await stepsToldOf(scene, record) };
}

async function stepsToldOf(scene: RecoveryFixture, { opId, member, oldInstanceId, ordinal, plan }: IntentRecord) {
  const input = await scene.clock.runUntilSettled(gatherPlanInput(scene.newCloud(), oldInstanceId, scene.policy));
  const trialLaunch = trialLaunchOf(input, scene.policy);
  return plannedSteps({ intent: { opId, member, oldInstanceId, ordinal, plan }, trialLaunch });
}

/** It needs a recovery to put back. */
async function toldOfUndo(options: RecoveryFixtureOptions): Promise<Told> {
  const staged = await replacedMember(options);
  await beginUndo(staged);
  const { scene, old } = staged;
  return { scene, old, steps: await stepsToldOf(scene, scene.intent().record) };
}

/** Mutating calls since the member failed, as EC2 got them. */
const mutating = (scene: RecoveryFixture, since: number): readonly CallEvent[] =>
  scene.sim.log
    .events()
    .filter((one): one is CallEvent => one.kind === 'call' && one.seq > since)
    .filter(({ action, reader }) => reader !== '' && !/^(?:Describe|Get)/.test(action));

/** What only the recovery makes is told by a name of its own; everything else word for word. */
function fits(toldValue: unknown, sent: unknown): boolean {
  if (typeof toldValue === 'string' && isLater(toldValue)) return sent !== undefined;
  if (Array.isArray(toldValue))
    return Array.isArray(sent) && toldValue.length === sent.length && toldValue.every((one, at) => fits(one, sent[at]));
  if (typeof toldValue !== 'object' || toldValue === null) return toldValue === sent;
  if (typeof sent !== 'object' || sent === null) return false;
  const names = new Set([...Object.keys(toldValue), ...Object.keys(sent)]);
  return [...names].every((name) => fits(Reflect.get(toldValue, name), Reflect.get(sent, name)));
}

const callsOf = (steps: readonly PlannedStep[]) => steps.flatMap((step) => step.calls ?? []);

describe.each(REGISTERED.strategies.map((one) => one.name))('the calls that are told of %s', (strategy) => {
  // There is no undo of a recovery with which the address has followed.
  const followed = strategy === 'undo' ? [] : [['with its address', FOLLOWED] as const];
  test.each([['plain', {}] as const, ['rich', RICH] as const, ...followed])(
    'are those that are sent: %s',
    async (_, options) => {
      const { scene, old, steps } = await told(strategy, options);
      const since = scene.sim.log.events().at(-1)?.seq ?? 0;
      const leader = scene.lead();
      expect(await scene.run(leader, scene.intent()), JSON.stringify(scene.hold())).toBe('finished');
      const sent = mutating(scene, since);
      const calls = callsOf(steps);
      expect(sent.length, old.instanceId).toBeGreaterThan(0);
      const untold = sent.filter(
        (one) => !calls.some((call) => call.action === one.action && fits(call.parameters, one.input)),
      );
      expect(untold.map(({ action, input }) => [action, input])).toEqual([]);
      const unsent = calls
        .filter((call) => call.planned.when === null)
        .filter((call) => !sent.some((one) => call.action === one.action && fits(call.parameters, one.input)));
      expect(unsent.map(({ action, parameters }) => [action, parameters])).toEqual([]);
    },
  );

  test('tell nothing of the user data, which holds the key of the agent', async () => {
    const { steps } = await told(strategy, RICH);
    expect(JSON.stringify(steps.map((one) => one.calls))).not.toContain(
      Buffer.from('secret: of-the-agent').toString('base64'),
    );
  });
});

/** What runs a program of the operator's has no call of AWS to tell. */
const NOT_AWS = ['hook'];

test('every registered step says what it calls', () => {
  const silent = stepsOf(REGISTERED).filter((kind) => kind.calls === undefined);
  expect(silent.map((kind) => kind.record.name).toSorted()).toEqual(NOT_AWS);
});
