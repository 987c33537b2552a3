import type { CallEvent } from '@understudy/cloud-sim';
import { ExplainViewSchema } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { ScenarioCluster, type ScenarioClusterOptions } from './scenario-cluster.ts';
import { ALICE, trailRecord } from './trail-record.ts';

const DB1 = 'prod/db1';
const STATE = 'EC2 Instance State-change Notification';
/** So seldom that no poll finds anything in the time of a test. */
const SELDOM = { pollStatesEveryMs: 600_000 };

async function started(options: ScenarioClusterOptions = {}) {
  const world = new ScenarioCluster({ events: SELDOM, ...options });
  const { instanceId } = world.seed(DB1);
  const others = (['us-east-1b', 'us-east-1c'] as const).map(
    (az, index) => world.seed(`prod/db${index + 2}`, { az }).instanceId,
  );
  await world.up();
  return { world, instanceId, others };
}

type World = ScenarioCluster;

const explained = (world: World) =>
  ExplainViewSchema.parse(JSON.parse(JSON.stringify(world.mustLead().coordinator.api.explain(DB1))));
const ec2Says = (world: World): string =>
  explained(world).evidence.find((one) => one.source === 'ec2 state')?.text ?? '';
const problems = (world: World): readonly string[] =>
  world
    .mustLead()
    .coordinator.api.status()
    .problems.map((one) => one.code);
const namesIt = (call: CallEvent, id: string): boolean => JSON.stringify(call.input).includes(id);
const looksAt = (world: World, id: string): number =>
  world.sim.log.calls('DescribeInstances').filter((call) => namesIt(call, id)).length;
const claim = (instanceId: string, state: string, id = 'made-up') => ({
  ...{ version: '0', id, 'detail-type': STATE, source: 'aws.ec2', time: '2026-01-01T00:00:00Z', resources: [] },
  detail: { 'instance-id': instanceId, state },
});
const nothingBegun = (world: World) =>
  expect([world.intent(DB1), world.hold(DB1), world.launches]).toEqual([null, null, 0]);
const enteredAtMs = (world: World, instanceId: string, state: string): number =>
  world.sim.log.transitions(instanceId).find((one) => one.to === state)?.atMs ?? Number.NaN;

describe('with events on', () => {
  test.each(['stopped', 'terminated'] as const)(
    'an instance that EC2 has %s is known to be so within 2 s, though states are asked for every ten minutes',
    async (state) => {
      const { world, instanceId } = await started({ latency: { 'instance.stop-skip-os': [3_000, 3_000] } });
      world.sim.takeDown(instanceId, 'Server.InternalError', state === 'stopped' ? 'stop' : 'terminate');
      await world.until(state, () => world.sim.core.region.instances.get(instanceId)?.state === state, 300_000);
      await world.until(`known to be ${state}`, () => ec2Says(world).includes(state), 60_000);
      expect(world.clock.monotonicMs() - enteredAtMs(world, instanceId, state)).toBeLessThanOrEqual(2_000);
      await world.until('judged', () => world.intent(DB1) !== null || world.hold(DB1) !== null, 60_000);
      world.expectHealthy();
    },
  );

  test('states of members that are well are asked for less often, status checks as ever', async () => {
    const counted = async (events: ScenarioClusterOptions['events']) => {
      const { world } = await started({ events });
      const count = (action: string) => world.sim.log.calls(action).filter((one) => namesIt(one, 'i-0')).length;
      const before = [count('DescribeInstances'), count('DescribeInstanceStatus')] as const;
      await world.clock.advance(600_000);
      return [count('DescribeInstances') - before[0], count('DescribeInstanceStatus') - before[1]] as const;
    };
    const [statesOff, statusOff] = await counted(undefined);
    const [statesOn, statusOn] = await counted({ pollStatesEveryMs: 60_000 });
    expect(statesOff - statesOn).toBeGreaterThan(300);
    expect(Math.abs(statusOff - statusOn)).toBeLessThan(statusOff / 20);
  });

  test('a message is deleted once its look was taken, and not before', async () => {
    const { world, instanceId } = await started();
    const queue = world.eventQueue;
    world.sim.setZoneImpaired('us-east-1a', true);
    world.sim.forgeEvent(claim(instanceId, 'stopped'));
    await world.until('the look failed', () => explainedFailure(world), 60_000);
    await world.clock.advance(10_000);
    expect(queue?.bodies()).toHaveLength(1);
    world.sim.setZoneImpaired('us-east-1a', false);
    await world.until('deleted', () => queue?.bodies().length === 0, 90_000);
    nothingBegun(world);
  });

  test('what a leader had received that died comes to the next one', async () => {
    const { world, instanceId } = await started();
    const first = world.mustLead();
    world.sim.setZoneImpaired('us-east-1a', true);
    world.sim.forgeEvent(claim(instanceId, 'stopped'));
    await world.until('received', () => world.eventQueue?.inFlight === 1, 60_000);
    world.kill(first);
    world.sim.setZoneImpaired('us-east-1a', false);
    await world.until('another leads', () => world.leader() !== null && world.leader() !== first, 60_000);
    await world.until('looked after', () => world.eventQueue?.bodies().length === 0, 90_000);
    nothingBegun(world);
  });
});

const explainedFailure = (world: World): boolean =>
  world.sim.log.calls('DescribeInstances').some((one) => one.outcome === 'Unavailable');

describe('a message is a hint, and proves nothing', () => {
  test('made up for a member that is well: it is looked at, and nothing follows', async () => {
    const { world, instanceId } = await started();
    const before = looksAt(world, instanceId);
    for (const state of ['stopping', 'stopped', 'terminated'])
      world.sim.forgeEvent(claim(instanceId, state, `forged-${state}`));
    await world.clock.advance(60_000);
    expect(looksAt(world, instanceId)).toBeGreaterThan(before);
    expect(explained(world)).toMatchObject({ verdict: 'alive', reasonCode: 'Heard' });
    expect(ec2Says(world)).toContain('running');
    expect(world.eventQueue?.bodies()).toEqual([]);
    nothingBegun(world);
  });

  test('about what is no member: nothing is asked, and the message is gone', async () => {
    const { world } = await started();
    const stranger = 'i-0ffffffffffffffff';
    world.sim.forgeEvent(claim(stranger, 'terminated'));
    world.sim.sendToQueue('understudy-events', JSON.stringify({ ...claim(stranger, 'x'), 'detail-type': 'Other' }));
    await world.clock.advance(30_000);
    expect(looksAt(world, stranger)).toBe(0);
    expect(world.eventQueue?.bodies()).toEqual([]);
  });

  test('what cannot be read is left, and ends with the dead letters', async () => {
    const { world } = await started();
    world.sim.sendToQueue('understudy-events', '<xml>');
    await world.clock.advance(400_000);
    expect(world.sim.queues.byName('understudy-events-dead')?.bodies()).toEqual(['<xml>']);
    world.expectHealthy();
  });

  test('a late “stopped” of an instance that runs again changes nothing', async () => {
    const { world, instanceId } = await started();
    world.sim.addFault({ id: 'late', action: 'events:Deliver', kind: 'event-delayed', delayMs: 200_000, times: 2 });
    world.sim.forgeEvent(claim(instanceId, 'stopped'));
    world.sim.forgeEvent(claim(instanceId, 'running', 'other'));
    await world.clock.advance(400_000);
    expect(world.sim.fired('late')).toBe(2);
    expect(explained(world)).toMatchObject({ verdict: 'alive' });
    nothingBegun(world);
  });

  test('lost, doubled, late and disordered events beside a failure: one recovery, one launch', async () => {
    const { world, instanceId } = await started();
    const fault = (kind: 'event-lost' | 'event-duplicated' | 'event-delayed', ratio: number) =>
      world.sim.addFault({ id: kind, action: 'events:Deliver', kind, ratio, times: 1_000, delayMs: 20_000 });
    fault('event-lost', 0.3);
    fault('event-duplicated', 0.5);
    fault('event-delayed', 0.5);
    if (world.eventQueue) world.eventQueue.unruly = { redelivered: 0.3, afterDelete: 0.3, missed: 0.3 };
    world.sim.takeDown(instanceId, 'Server.InternalError', 'stop');
    await world.until('replaced', () => world.history(DB1).length === 1, 1_200_000);
    expect(world.launches).toBe(1);
    expect(world.sim.fired('event-lost') + world.sim.fired('event-duplicated')).toBeGreaterThan(2);
    world.expectHealthy();
  });

  test('a flood of made-up events takes a few calls a minute, and delays no recovery', async () => {
    const timed = async (flood: number) => {
      const { world, instanceId, others } = await started();
      const before = world.sim.log.calls('DescribeInstances').length;
      for (let at = 0; at < flood; at += 1)
        world.sim.forgeEvent(claim([instanceId, ...others][at % 3] ?? '', 'stopped', `flood-${at}`));
      world.crash(instanceId);
      const tookMs = await world.until('a recovery', () => world.intent(DB1) !== null, 120_000);
      return { tookMs, calls: world.sim.log.calls('DescribeInstances').length - before };
    };
    const [quiet, flooded] = [await timed(0), await timed(3_000)];
    expect(flooded.tookMs).toBeLessThanOrEqual(quiet.tookMs + 1_000);
    // A burst of ten, and then one a second.
    expect(flooded.calls - quiet.calls).toBeLessThanOrEqual(10 + Math.ceil(flooded.tookMs / 1_000) + 1);
  });
});

test('a flood of what cannot be read, and of made-up calls, fills neither log nor memory, and no pass is long', async () => {
  const { world, instanceId } = await started();
  const call = (nth: number) => ({
    ...{ id: `f${nth}`, 'detail-type': 'AWS API Call via CloudTrail', source: 'aws.ec2', resources: [] },
    detail: {
      ...{ eventID: `ct-${nth}`, eventTime: '2026-01-01T00:00:00Z', eventName: 'StopInstances', requestID: 'r' },
      requestParameters: { instancesSet: { items: [{ instanceId }] } },
    },
  });
  for (let nth = 0; nth < 1_000; nth += 1) {
    world.sim.forgeEvent(call(nth));
    world.sim.sendToQueue('understudy-events', `<${nth}>`);
  }
  await world.clock.advance(120_000);
  const lines = (event: string): number => world.mustLead().log.linesOf(event).length;
  expect(lines('event.deed')).toBeGreaterThan(50);
  expect(lines('event.deed')).toBeLessThan(100 + 120 + 1);
  expect(lines('event.unreadable')).toBeLessThanOrEqual(3);
  expect(explained(world).evidence.filter((one) => one.source === 'api call')).toHaveLength(10);
  expect(explained(world).verdict).toBe('alive');
  world.expectHealthy();
});

describe('events that do not come', () => {
  test('a change that no event told is a problem, and states are asked for as ever', async () => {
    const { world, others } = await started({ events: { pollStatesEveryMs: 30_000 } });
    const [stopped = ''] = others;
    world.sim.events.removeRule('understudy');
    world.sim.takeDown(stopped, 'Client.UserInitiatedShutdown', 'stop');
    await world.until('told', () => problems(world).includes('EVENTS_MISSING'), 300_000);
    const before = looksAt(world, stopped);
    await world.clock.advance(60_000);
    expect(looksAt(world, stopped) - before).toBeGreaterThan(8);
  });

  test('a queue that is closed to us is a problem with what to do, until it opens', async () => {
    const { world, instanceId } = await started();
    world.sim.setDeniedActions(['sqs:ReceiveMessage']);
    world.sim.forgeEvent(claim(instanceId, 'stopped'));
    await world.until('told', () => problems(world).includes('EVENTS_UNREACHABLE'), 60_000);
    const told = world
      .mustLead()
      .coordinator.api.status()
      .problems.find((one) => one.code === 'EVENTS_UNREACHABLE');
    expect(told?.text).toContain('CLOUD_DENIED');
    expect(told?.remedy).toContain('--event-queue');
    const before = looksAt(world, instanceId);
    await world.clock.advance(60_000);
    expect(looksAt(world, instanceId) - before).toBeGreaterThan(8);
    world.sim.setDeniedActions([]);
    await world.until('it opens', () => !problems(world).includes('EVENTS_UNREACHABLE'), 60_000);
  });

  test('events that come late are a problem, and states are asked for as ever meanwhile', async () => {
    const { world, instanceId } = await started();
    world.sim.setDeniedActions(['sqs:ReceiveMessage']);
    world.sim.forgeEvent(claim(instanceId, 'stopped'));
    await world.clock.advance(90_000);
    world.sim.setDeniedActions([]);
    await world.until('told', () => problems(world).includes('EVENTS_LATE'), 60_000);
    await world.until('forgotten', () => !problems(world).includes('EVENTS_LATE'), 400_000);
  });
});

describe('who stopped it before a recovery', () => {
  test.each([
    ['while the recovery is under way', 0],
    ['ten minutes after it has ended', 600_000],
  ])('told %s, stands in its history for good, whoever leads then', async (_, afterMs) => {
    const { world, instanceId } = await started();
    const doneAtMs = world.clock.wallMs();
    world.sim.takeDown(instanceId, 'Server.InternalError', 'stop');
    await world.until('begun', () => world.intent(DB1) !== null, 300_000);
    if (afterMs === 0) world.sim.forgeEvent(trailRecord(instanceId, doneAtMs));
    await world.until('replaced', () => world.history(DB1).length === 1, 1_200_000);
    await world.clock.advance(afterMs);
    if (afterMs > 0) world.sim.forgeEvent(trailRecord(instanceId, doneAtMs));
    const refused = { eventID: 'ct-2', errorCode: 'Client.UnauthorizedOperation' };
    world.sim.forgeEvent(trailRecord(instanceId, doneAtMs, refused));
    world.sim.forgeEvent(
      trailRecord(instanceId, world.clock.wallMs(), { eventID: 'ct-3', eventName: 'StopInstances' }),
    );
    await world.until('it stands there', () => world.history(DB1)[0]?.deeds !== undefined, 120_000);
    await world.clock.advance(60_000);
    expect(world.history(DB1)[0]?.deeds).toMatchObject([{ action: 'TerminateInstances', by: ALICE, eventId: 'ct-1' }]);
    const before = world.mustLead();
    world.kill(before);
    await world.until('another leads', () => world.leader() !== null && world.leader() !== before, 60_000);
    const told = explained(world).evidence.filter((one) => one.source === 'api call');
    expect(told.map((one) => one.text)).toContainEqual(
      expect.stringContaining(`TerminateInstances of ${instanceId} by ${ALICE}`),
    );
    world.expectHealthy();
  });
});

describe('who stopped it', () => {
  const calls = (world: World) =>
    explained(world)
      .evidence.filter((one) => one.source === 'api call')
      .map((one) => one.text);
  const ask = (world: World, action: string, instanceId: string, over: object = {}) =>
    world.clock.runUntilSettled(
      world.sim.call(action, { InstanceIds: [instanceId], ...over }, { reader: 'alice' }),
      60_000,
    );

  test('is told minutes later, with ARN, moment and request; the verdict was there before, by EC2’s word', async () => {
    const { world, instanceId } = await started();
    await ask(world, 'StopInstances', instanceId);
    await world.until('left', () => explained(world).verdict === 'left', 120_000);
    expect(calls(world)).toEqual([]);
    await world.until('told', () => calls(world).length > 0, 400_000);
    expect(calls(world)[0]).toMatch(
      new RegExp(
        `^StopInstances of ${instanceId} by arn:aws:sts::123456789012:assumed-role/sim/alice at 20.*, request `,
      ),
    );
    expect(explained(world).verdict).toBe('left');
    nothingBegun(world);
  });

  test('a call that was refused, or only tried, is nobody’s deed', async () => {
    const { world, instanceId } = await started();
    await ask(world, 'TerminateInstances', instanceId, { DryRun: true });
    await world.clock.advance(400_000);
    expect(world.sim.log.calls('TerminateInstances')).toHaveLength(1);
    expect(calls(world)).toEqual([]);
    expect(explained(world).verdict).toBe('alive');
  });

  test('our own calls are recognised, of the instance that was replaced', async () => {
    const { world, instanceId } = await started();
    world.crash(instanceId);
    await world.until('replaced', () => world.history(DB1).length === 1, 1_200_000);
    await world.until('told', () => calls(world).some((one) => one.includes('StopInstances')), 400_000);
    const [stop] = calls(world).filter((one) => one.includes('StopInstances'));
    expect(stop).toContain(instanceId);
    expect(stop).toContain('with the client of a coordinator');
  });
});
