import {
  buildImageRequest,
  buildLaunchRequest,
  buildPermitRequest,
  disksToKeep,
  makePlan,
  type RequestIntent,
  volumeTagsToReapply,
} from '@understudy/recovery/testing';
import { policyWith } from '@understudy/shared/testing';
import { type SeededInstance, seedInstance } from '@understudy/cloud-sim';
import { gatherPlanInput, readinessProblemsOf } from '@understudy/recovery';
import { type CloudInstance, DEFAULT_POLICY, type GroupPolicy, opIdOf } from '@understudy/shared';
import { describe, expect, it } from 'vitest';
import { type InProcessFixture, inProcessFixture } from './in-process-fixture.ts';

/**
 * The plan's requests, sent to a strict EC2 one after the other: what is built must be accepted,
 * and must give the same machine.
 */

const seed = (f: InProcessFixture): SeededInstance =>
  seedInstance(f.sim, {
    member: 'db/one',
    az: 'us-east-1a',
    instanceType: 'm5.large',
    dataVolumes: [
      { deviceName: '/dev/sdf', sizeGiB: 20 },
      { deviceName: '/dev/sdg', sizeGiB: 30 },
    ],
    elasticIp: true,
    userData: 'member: db/one',
    tags: { team: 'storage' },
    request: {
      IamInstanceProfile: { Arn: 'arn:aws:iam::123456789012:instance-profile/db' },
      MetadataOptions: { HttpTokens: 'required', HttpPutResponseHopLimit: 2 },
    },
  });

async function intentOf(f: InProcessFixture, oldInstanceId: string, policy: GroupPolicy): Promise<RequestIntent> {
  const result = makePlan(await gatherPlanInput(f.cloud, oldInstanceId, policy), policy);
  if (result.kind === 'blocked') throw new Error(JSON.stringify(result.problems));
  // As it comes back from etcd.
  const plan = JSON.parse(JSON.stringify(result.plan)) as typeof result.plan;
  return { opId: opIdOf(oldInstanceId), member: 'db/one', oldInstanceId, ordinal: 0, plan };
}

async function until<T>(f: InProcessFixture, look: () => Promise<T | undefined>): Promise<T> {
  for (let i = 0; i < 500; i++) {
    const seen = await look();
    if (seen !== undefined) return seen;
    await f.clock.sleep(1_000);
  }
  throw new Error('never seen');
}

const instanceIn = (f: InProcessFixture, id: string, state: string): Promise<CloudInstance> =>
  until(f, async () => {
    const [found] = await f.cloud.describeInstances({ 'instance-id': [id] });
    return found?.state === state ? found : undefined;
  });

/** Fence, capture, image, permit, launch: no journal, no failure, just the requests. */
async function replace(f: InProcessFixture, intent: RequestIntent, attempt: number): Promise<CloudInstance> {
  const { oldInstanceId, opId, plan } = intent;
  await f.cloud.stopInstance(oldInstanceId, { force: true, skipOsShutdown: true });
  await instanceIn(f, oldInstanceId, 'stopped');
  const tags = { 'understudy:op': opId };
  const started = await f.cloud.createSnapshots({ instanceId: oldInstanceId, description: opId, tags });
  await until(f, async () => {
    const all = await f.cloud.describeSnapshots({ 'tag:understudy:op': [opId] });
    return all.length === started.length && all.every(({ state }) => state === 'completed') ? all : undefined;
  });
  const snapshotIdsByVolume = Object.fromEntries(started.map(({ volumeId, snapshotId }) => [volumeId, snapshotId]));
  const rootId = plan.volumes.find((volume) => volume.isRoot)?.volumeId ?? '';
  const rootSnapshotId = snapshotIdsByVolume[rootId] ?? '';
  const { imageId } = await f.cloud.registerImage(buildImageRequest({ intent, rootSnapshotId }));
  const candidate = plan.candidates[attempt - 1];
  if (!candidate) throw new Error('a plan without candidates');
  const permit = await f.cloud.createNetworkInterface(buildPermitRequest({ intent, attempt, candidate }));
  await f.clock.sleep(60_000);
  const { networkInterfaceId } = permit;
  const launch = { intent, attempt, candidate, networkInterfaceId, imageId, snapshotIdsByVolume };
  const made = await f.cloud.runInstances(buildLaunchRequest(launch));
  return instanceIn(f, made.instanceId, 'running');
}

describe('from plan to replacement', () => {
  it.each([1, 2, 3])(
    'a strict EC2 accepts every request, and the replacement is like the old one (seed %i)',
    async (n) => {
      const f = inProcessFixture(n);
      const old = seed(f);
      await f.clock.runUntilSettled(
        (async () => {
          const intent = await intentOf(f, old.instanceId, DEFAULT_POLICY);
          const before = await instanceIn(f, old.instanceId, 'running');
          const after = await replace(f, intent, 1);
          const kept = ({
            instanceType,
            az,
            subnetId,
            keyName,
            iamInstanceProfileArn,
            architecture,
          }: CloudInstance) => ({
            ...{ instanceType, az, subnetId, keyName, iamInstanceProfileArn, architecture },
          });
          expect(kept(after)).toEqual(kept(before));
          expect(after.raw.MetadataOptions).toMatchObject({ HttpTokens: 'required', HttpPutResponseHopLimit: 2 });
          const own = { 'understudy:op': intent.opId, 'understudy:attempt': '1' };
          expect(after.tags).toEqual({ ...before.tags, ...own, 'understudy:seed-image': before.imageId });
          expect(await f.cloud.describeUserData(after.instanceId)).toBe(
            await f.cloud.describeUserData(before.instanceId),
          );
          const disks = (instance: CloudInstance) =>
            Object.fromEntries(instance.volumes.map((volume) => [volume.deviceName, volume.deleteOnTermination]));
          for (const device of disksToKeep(intent.plan.volumes, after)) {
            await f.cloud.setDeleteOnTermination(after.instanceId, device, false);
          }
          await f.clock.sleep(5_000);
          const [settled] = await f.cloud.describeInstances({ 'instance-id': [after.instanceId] });
          expect(settled && disks(settled)).toEqual(disks(before));
          const volumes = await f.cloud.describeVolumes({ 'volume-id': after.volumes.map(({ volumeId }) => volumeId) });
          expect(volumes.map((volume) => volume.sizeGiB).toSorted((a, b) => a - b)).toEqual([8, 20, 30]);
          expect(volumes.every((volume) => volume.tags['understudy:op'] === intent.opId)).toBe(true);
          for (const { volumeId, tags } of volumeTagsToReapply(intent.plan, after)) {
            await f.cloud.createTags([volumeId], tags);
          }
          expect(f.sim.log.launches().length).toBe(2);
        })(),
      );
      f.sim.close();
    },
  );

  it('the second attempt goes to the second candidate, in another zone and on another type', async () => {
    const f = inProcessFixture();
    const old = seed(f);
    const [a, b] = f.subnets;
    const placements = [{ subnetId: a?.subnetId ?? '' }, { subnetId: b?.subnetId ?? '', instanceType: 'm6i.large' }];
    await f.clock.runUntilSettled(
      (async () => {
        const intent = await intentOf(f, old.instanceId, policyWith({ recover: { placements } }));
        const after = await replace(f, intent, 2);
        expect([after.az, after.instanceType, after.tags['understudy:attempt']]).toEqual([
          'us-east-1b',
          'm6i.large',
          '2',
        ]);
      })(),
    );
    f.sim.close();
  });

  it('a healthy member is ready; one that was terminated is not', async () => {
    const f = inProcessFixture();
    const old = seed(f);
    await f.clock.runUntilSettled(
      (async () => {
        const problems = async () =>
          readinessProblemsOf(
            makePlan(await gatherPlanInput(f.cloud, old.instanceId, DEFAULT_POLICY), DEFAULT_POLICY),
          ).map((problem) => problem.code);
        expect(await problems()).toEqual([]);
        f.sim.seed('TerminateInstances', { InstanceIds: [old.instanceId] });
        await instanceIn(f, old.instanceId, 'terminated');
        expect(await problems()).toContain('InstanceGone');
      })(),
    );
    f.sim.close();
  });

  it('an instance EC2 does not show is CLOUD_NOT_FOUND', async () => {
    const f = inProcessFixture();
    const gathered = gatherPlanInput(f.cloud, 'i-0123456789abcdef0', DEFAULT_POLICY);
    await expect(f.clock.runUntilSettled(gathered)).rejects.toMatchObject({ code: 'CLOUD_NOT_FOUND' });
    f.sim.close();
  });
});
