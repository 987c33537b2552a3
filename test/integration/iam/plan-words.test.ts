import { CallTrials } from '@understudy/coordinator/testing';
import {
  gatherPlanInput,
  planByStrategy,
  plannedSteps,
  type ShownCall,
  standInsOf,
  trialLaunchOf,
} from '@understudy/recovery';
import { type CallWord, LADDER_RUNGS } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { checkFinished } from '../../scenarios/recovery/checks.ts';
import { MEMBER, RecoveryFixture } from '../../scenarios/recovery/recovery-fixture.ts';
import { underGeneratedPolicy } from './generated-policy.ts';

/**
 * Whatever right the role lacks, the plan tells it before it is needed: as denied, or as one that
 * EC2 cannot be asked about. None is silent, and none that is there is called missing.
 */
const RIGHTS = { groups: ['db'] } as const;
const SILENT: readonly CallWord['word'][] = ['allowed', 'refused', 'not-asked'];

const REQUEST = {
  DisableApiTermination: true,
  DisableApiStop: true,
  UserData: Buffer.from('#!/bin/sh\n').toString('base64'),
  BlockDeviceMappings: [{ DeviceName: '/dev/sdf', Ebs: { VolumeSize: 10, DeleteOnTermination: false } }],
};

/** The instance that was launched by hand, or one that a recovery has put in its place. */
async function member(isReplacement: boolean): Promise<{ scene: RecoveryFixture; instanceId: string }> {
  const scene = new RecoveryFixture({ elasticIp: true });
  const old = scene.seedMember(MEMBER, { elasticIp: true, request: REQUEST });
  scene.sim.setAuthorize(underGeneratedPolicy(RIGHTS));
  if (!isReplacement) return { scene, instanceId: old.instanceId };
  await scene.begin(old);
  await scene.clock.runUntilSettled(scene.leadRun(scene.lead()));
  return { scene, instanceId: checkFinished(scene, old) };
}

async function callsBy(scene: RecoveryFixture, instanceId: string, strategy: string): Promise<readonly ShownCall[]> {
  const input = await scene.clock.runUntilSettled(gatherPlanInput(scene.newCloud(), instanceId, scene.policy));
  const result = planByStrategy(input, scene.policy, null, strategy);
  if (result.kind !== 'plan') throw new Error(JSON.stringify(result.problems));
  const steps = await plannedSteps({
    intent: { opId: 'op-2', member: MEMBER, oldInstanceId: instanceId, ordinal: 1, plan: result.plan },
    ...{ trialLaunch: trialLaunchOf(input, scene.policy), standIns: standInsOf(input) },
  });
  return steps.flatMap((step) => step.calls ?? []);
}

/** EC2's word on each call, without the right to do one of them. */
async function wordsOn(scene: RecoveryFixture, calls: readonly ShownCall[], without?: string) {
  scene.sim.setAuthorize(underGeneratedPolicy({ ...RIGHTS, ...(without && { without: `ec2:${without}` }) }));
  const cloud = scene.newCloud('c1');
  const trials = new CallTrials({ cloud, clock: scene.clock, everyMs: 86_400_000, onlyHarmless: false });
  const { signal } = new AbortController();
  const ask = () => scene.clock.runUntilSettled(trials.words(calls, calls.length, signal));
  await ask();
  // The questions have a bucket of their own.
  await scene.clock.advance(50_000);
  const words = await ask();
  return calls.map(({ action }, at) => ({ action, word: words[at]?.word ?? 'not-asked' }));
}

const actionsIn = (calls: readonly ShownCall[]): readonly string[] =>
  [...new Set(calls.map(({ action }) => action))].toSorted();

describe.each([
  ['launched by hand', false],
  ['that replaced another one', true],
] as const)('a machine %s', (_, isReplacement) => {
  test.each(LADDER_RUNGS)('%s: with every right nothing is denied, refused, or not asked', async (strategy) => {
    const { scene, instanceId } = await member(isReplacement);
    const words = await wordsOn(scene, await callsBy(scene, instanceId, strategy));
    expect(words.filter(({ word }) => word === 'allowed').length).toBeGreaterThan(0);
    expect(words.filter(({ word }) => word !== 'allowed' && word !== 'cannot-be-asked')).toEqual([]);
  });

  test.each(LADDER_RUNGS)('%s: no right can be missing in silence', async (strategy) => {
    const { scene, instanceId } = await member(isReplacement);
    const calls = await callsBy(scene, instanceId, strategy);
    for (const action of actionsIn(calls)) {
      const words = (await wordsOn(scene, calls, action)).filter((one) => one.action === action);
      expect(words.length, action).toBeGreaterThan(0);
      expect(
        words.filter(({ word }) => SILENT.includes(word)),
        action,
      ).toEqual([]);
    }
  });
});

describe('a right that is missing is told as denied where something can stand in', () => {
  test.each([
    ['reattach', false, ['AttachVolume', 'DetachVolume', 'StartInstances', 'StopInstances', 'RunInstances']],
    ['reattach', true, ['AssociateAddress', 'DeleteNetworkInterface', 'StartInstances']],
    ['stop-start', false, ['StartInstances', 'StopInstances']],
    ['reboot', false, ['RebootInstances']],
    ['snapshot-and-replace', true, ['CreateSnapshots', 'AssociateAddress', 'CreateNetworkInterface']],
  ] as const)('%s, of a replacement: %s', async (strategy, isReplacement, actions) => {
    const { scene, instanceId } = await member(isReplacement);
    const calls = await callsBy(scene, instanceId, strategy);
    for (const action of actions)
      expect(await wordsOn(scene, calls, action), action).toContainEqual({ action, word: 'denied' });
  });

  test('also the image of a capture, where there is an earlier snapshot with the mark of one', async () => {
    const { scene, instanceId } = await member(true);
    const tags = (...keys: string[]) => [
      {
        ResourceType: 'snapshot',
        Tags: keys.map((Key) => ({ Key, Value: Key === 'understudy:group' ? 'db' : 'op-1' })),
      },
    ];
    const registerImage = async (without?: string) => {
      const calls = await callsBy(scene, instanceId, 'snapshot-and-replace');
      return (await wordsOn(scene, calls, without)).find(({ action }) => action === 'RegisterImage')?.word;
    };
    expect(await registerImage()).toBe('cannot-be-asked');
    const InstanceSpecification = { InstanceId: instanceId };
    scene.sim.seed('CreateSnapshots', { InstanceSpecification, TagSpecifications: tags('understudy:group') });
    await scene.clock.advance(600_000);
    expect([await registerImage(), await registerImage('RegisterImage')]).toEqual(['allowed', 'cannot-be-asked']);
    scene.sim.seed('CreateSnapshots', { InstanceSpecification, TagSpecifications: tags('understudy:op') });
    await scene.clock.advance(600_000);
    expect([await registerImage(), await registerImage('RegisterImage')]).toEqual(['allowed', 'denied']);
  });

  test('and ending an instance is never asked about, by whichever way', async () => {
    const { scene, instanceId } = await member(true);
    for (const strategy of LADDER_RUNGS) await wordsOn(scene, await callsBy(scene, instanceId, strategy));
    expect(scene.sim.log.calls('TerminateInstances')).toEqual([]);
  });
});
