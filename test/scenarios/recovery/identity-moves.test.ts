import type { FaultKind } from '@understudy/cloud-sim';
import { stepId } from '@understudy/recovery/testing';
import { describe, expect, test } from 'vitest';
import { checkFinished, checkSafety } from './checks.ts';
import { CrashMonitor, type CrashMode, crashMatrix, type Point } from './crash-points.ts';
import { checkFollowed, checkNothingStrayed, failed, holders, identityWorld, placedIn } from './identity-world.ts';

const MOVES = ['secondary', 'ipv6', 'prefix', 'interface', 'address'];
const CALLS = [
  ...['UnassignPrivateIpAddresses', 'AssignPrivateIpAddresses', 'UnassignIpv6Addresses', 'AssignIpv6Addresses'],
  ...['DetachNetworkInterface', 'AttachNetworkInterface', 'ModifyNetworkInterfaceAttribute', 'AssociateAddress'],
];

/** Runs it to its end, held ones again. */
async function finished(world: Awaited<ReturnType<typeof identityWorld>>): Promise<string> {
  const { scene, old } = world;
  const outcome = await scene.run(scene.lead(), scene.intent());
  expect(outcome, JSON.stringify(scene.hold())).toBe('finished');
  const newInstanceId = checkFinished(scene, old);
  checkFollowed(world, newInstanceId);
  return newInstanceId;
}

test('everything a member has follows it to a replacement in the same subnet', async () => {
  const world = await failed(await identityWorld());
  await finished(world);
  const steps = world.scene.history()[0]?.steps.map((one) => one.step) ?? [];
  expect(steps.filter((step) => step.startsWith('prefix-'))).toHaveLength(2);
  expect(world.scene.history()[0]?.losses).toBeUndefined();
  // The Elastic IP waits for the address that it is on.
  const at = (prefix: string) => steps.findIndex((step) => step.startsWith(prefix));
  expect(at(stepId('address', world.onSecondary))).toBeGreaterThan(at('secondary-'));
});

test('to another zone what cannot be carried is lost, and each loss is said', async () => {
  const world = await identityWorld();
  const { scene, old } = world;
  Object.assign(scene.policy.recover, placedIn(scene, 'us-east-1a', 'us-east-1b'));
  scene.sim.setCapacity('us-east-1a', 'm5.large', 0);
  await failed(world);
  const { plan } = scene.intent().record;
  expect(plan.losses.map((one) => one.code)).toEqual(
    expect.arrayContaining([
      'SecondaryPrivateIpsLost',
      'Ipv6AddressesLost',
      'PrefixesLost',
      'ExtraNetworkInterfacesLost',
    ]),
  );
  expect(await scene.run(scene.lead(), scene.intent()), JSON.stringify(scene.hold())).toBe('finished');
  checkFinished(scene, old);
  expect(
    scene
      .history()[0]
      ?.losses?.map((one) => one.code)
      .sort(),
  ).toEqual([
    ...['AddressReleased', 'AddressReleased', 'IdentityLost', 'IdentityLost', 'IdentityLost', 'IdentityLost'],
    'IdentityLost',
  ]);
  // Nothing was taken from the failed instance for nothing.
  expect(new Set(Object.values(holders(world)))).toEqual(new Set([old.instanceId]));
});

describe('what somebody else holds is never taken', () => {
  test('a secondary address that a person has moved is held for, and is let go of by command', async () => {
    const world = await failed(await identityWorld());
    const { scene, old, assigned } = world;
    const made = scene.sim.seed('CreateNetworkInterface', { SubnetId: old.subnetId }) as {
      NetworkInterface: { NetworkInterfaceId: string };
    };
    const { NetworkInterfaceId } = made.NetworkInterface;
    const taken = { NetworkInterfaceId, PrivateIpAddresses: [assigned.secondaryIps], AllowReassignment: true };
    scene.sim.seed('AssignPrivateIpAddresses', taken);
    const leader = scene.lead();
    expect(await scene.run(leader, scene.intent())).toBe('held');
    expect(scene.hold()).toMatchObject({ reason: 'AddressHeldElsewhere' });
    expect(scene.hold()?.text).toContain(`accept-loss db/primary secondary:${assigned.secondaryIps}`);
    expect(scene.sim.core.region.networkInterfaces.get(NetworkInterfaceId)?.secondaryIps).toEqual([
      assigned.secondaryIps,
    ]);
    scene.ask('accept-loss', { loss: `secondary:${assigned.secondaryIps}` });
    expect(await scene.run(leader, scene.intent()), JSON.stringify(scene.hold())).toBe('finished');
    expect(scene.history()[0]?.losses?.[0]).toMatchObject({ code: 'AcceptedLoss' });
    expect(scene.sim.core.region.networkInterfaces.get(NetworkInterfaceId)?.secondaryIps).toEqual([
      assigned.secondaryIps,
    ]);
  });

  test('an interface that a person has attached elsewhere is held for', async () => {
    const world = await failed(await identityWorld());
    const { scene, further } = world;
    const third = scene.seedMember('other/one', { elasticIp: false });
    const attachment = scene.sim.core.region.networkInterfaces.get(further)?.attachment;
    scene.sim.seed('DetachNetworkInterface', { AttachmentId: attachment?.attachmentId });
    await scene.clock.advance(30_000);
    const to = { NetworkInterfaceId: further, InstanceId: third.instanceId, DeviceIndex: 1 };
    scene.sim.seed('AttachNetworkInterface', to);
    await scene.clock.advance(30_000);
    expect(await scene.run(scene.lead(), scene.intent())).toBe('held');
    expect(scene.hold()?.text).toContain(`${further} is attached to ${third.instanceId}; it is never taken away`);
    expect(scene.holderOf(further)).toBe(third.instanceId);
  });
});

const FAULTS: readonly { readonly kind: FaultKind; readonly delayMs?: number }[] = [
  ...[{ kind: 'throttle' as const }, { kind: 'error' as const }, { kind: 'timeout-after-success' as const }],
  ...[{ kind: 'timeout-before' as const }, { kind: 'late-landing' as const, delayMs: 20_000 }],
];

describe('each call of a move, at fault', () => {
  test.each(CALLS.flatMap((action) => FAULTS.map((fault) => ({ action, ...fault }))))(
    '$action: $kind',
    async ({ action, kind, delayMs }) => {
      const world = await failed(await identityWorld());
      const { sim } = world.scene;
      const fault = { id: 'one', action, kind, times: 2, ...(delayMs !== undefined && { delayMs }) };
      sim.addFault({ ...fault, ...(kind === 'error' && { code: 'InternalError' }) });
      await finished(world);
      expect(sim.faults().find((one) => one.id === 'one')?.fired, 'the fault never happened').toBeGreaterThan(0);
    },
  );

  test.each(['DescribeNetworkInterfaces', 'DescribeAddresses'])(
    '%s shows what was, for half a minute',
    async (action) => {
      const world = await failed(await identityWorld());
      world.scene.sim.addFault({ id: 'old', action, kind: 'stale-read', times: 60, delayMs: 30_000 });
      await finished(world);
    },
  );
});

const isMove = (point: Point | undefined): boolean =>
  MOVES.some((name) => point?.name.startsWith(`${name}-`)) ||
  /^(?:un)?assignAddress|^(?:at|de)tachNetworkInterface|setNetworkInterfaceAttributes/.test(point?.name ?? '');

test('killed at any call and commit of a move, the successor finishes it', { timeout: 240_000 }, async () => {
  const quiet = await failed(await identityWorld());
  const monitor = new CrashMonitor();
  const leader = quiet.scene.lead(monitor.wrapping());
  expect(await quiet.scene.run(leader, quiet.scene.intent(), monitor.term(leader.term))).toBe('finished');
  const points = [...monitor.points];
  const matrix = crashMatrix(points).filter(({ at }) => isMove(points[at]));
  for (const { at, mode } of matrix)
    await crashAt(at, mode, points[at]).catch((cause: unknown) => {
      throw new Error(`point ${at} (${points[at]?.kind} ${points[at]?.name}), ${mode}`, { cause });
    });
  console.log(`crash points of the identity moves: ${matrix.length} cases`);
  expect(matrix.length).toBeGreaterThanOrEqual(60);
});

async function crashAt(at: number, mode: CrashMode, point: Point | undefined): Promise<void> {
  const world = await failed(await identityWorld());
  const { scene, old } = world;
  const monitor = new CrashMonitor(at, mode);
  const first = scene.lead(monitor.wrapping());
  const run = first.engine.run(scene.intent(), monitor.term(first.term));
  await scene.clock.runUntilSettled(Promise.race([monitor.died, run.then(() => undefined)]));
  expect(monitor.dead ? monitor.points[at] : undefined, 'the crash did not happen').toEqual(point);
  await scene.clock.advance(12_000);
  checkSafety(scene, old);
  checkNothingStrayed(world);
  if (scene.kv.entries('/understudy/v1/intents/').length > 0) await finished(world);
}
