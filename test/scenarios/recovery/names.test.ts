import type { Fault } from '@understudy/cloud-sim';
import { describe, expect, test } from 'vitest';
import { checkFinished } from './checks.ts';
import {
  a,
  checkNamed,
  groupArn,
  ipOf,
  NAMED,
  PRIVATE_ZONE,
  PUBLIC_ZONE,
  registered,
  valuesOf,
} from './names-scene.ts';
import type { RecoveryFixture } from './recovery-fixture.ts';
import { stage } from './stories.ts';

const itemsOf = (scene: RecoveryFixture) => ({
  records: scene.intent().record.plan.records?.map((one) => [one.zoneId, one.name, one.setIdentifier]),
  targets: scene.intent().record.plan.targets?.map((one) => one.targets.map((at) => at.port)),
});

async function finished(scene: RecoveryFixture): Promise<void> {
  const outcome = await scene.run(scene.lead(), scene.intent());
  expect(outcome, JSON.stringify(scene.hold())).toBe('finished');
}

describe('a member that is named in DNS and in a target group', () => {
  test('what names it is frozen in the plan, set by set and port by port', async () => {
    const { scene } = await stage(NAMED);
    expect(itemsOf(scene)).toEqual({
      records: [
        [PUBLIC_ZONE, 'db.example.com.', null],
        [PUBLIC_ZONE, 'w.example.com.', 'blue'],
        [PRIVATE_ZONE, 'db.example.com.', null],
      ],
      targets: [[80, 8080]],
    });
  });

  test('is in no plan while only the level before is in force', async () => {
    const { scene } = await stage({ ...NAMED, options: { ...NAMED.options, level: 1 } });
    expect(itemsOf(scene)).toEqual({ records: undefined, targets: undefined });
  });
});

const CALLS = [
  'route53:ChangeResourceRecordSets',
  'route53:ListResourceRecordSets',
  'route53:GetChange',
  'elasticloadbalancing:RegisterTargets',
  'elasticloadbalancing:DeregisterTargets',
  'elasticloadbalancing:DescribeTargetHealth',
] as const;

const FAULTS: readonly Omit<Fault, 'id' | 'action'>[] = [
  { kind: 'throttle', times: 3 },
  { kind: 'error', code: 'InternalError', httpStatus: 500, times: 3 },
  { kind: 'timeout-before' },
  { kind: 'timeout-after-success' },
  { kind: 'late-landing', delayMs: 20_000 },
  { kind: 'late-landing', delayMs: 900_000 },
  { kind: 'foreign-answer' },
  { kind: 'foreign-instead' },
];

describe('one call goes wrong', () => {
  const cases = CALLS.flatMap((action) =>
    FAULTS.map((fault) => ({ action, fault, name: `${fault.kind} ${fault.delayMs ?? ''}` })),
  );
  test.each(cases)('$action: $name', async ({ action, fault }) => {
    const { scene, old } = await stage(NAMED);
    scene.sim.addFault({ id: 'f', action, ...fault });
    await finished(scene);
    const newInstanceId = checkFinished(scene, old);
    await scene.clock.advance(1_000_000);
    checkNamed(scene, old, newInstanceId);
    expect(scene.sim.fired('f')).toBe(fault.times ?? 1);
  });

  test('in the older form of a refusal, which says nothing, a look tells what there is', async () => {
    const { scene, old } = await stage(NAMED);
    scene.sim.dns.refusesInMessages = true;
    scene.sim.addFault({ id: 'lost', action: 'route53:ChangeResourceRecordSets', kind: 'timeout-after-success' });
    await finished(scene);
    checkNamed(scene, old, checkFinished(scene, old));
  });
});

describe('credentials that are refused', () => {
  test.each([
    ['route53:ChangeResourceRecordSets', 'ExpiredToken', 'the credentials have expired: renew them'],
    ['route53:ListResourceRecordSets', 'InvalidClientTokenId', 'check the access key'],
    ['elasticloadbalancing:RegisterTargets', 'SignatureDoesNotMatch', 'check the access key'],
    ['elasticloadbalancing:DescribeTargetHealth', 'ExpiredToken', 'the credentials have expired: renew them'],
  ])('%s × %s: held with what to do, and done once they are good again', async (action, code, remedy) => {
    const { scene, old } = await stage(NAMED);
    scene.sim.addFault({ id: 'f', action, kind: 'error', code, httpStatus: 403, times: 10_000 });
    expect(await scene.run(scene.lead(), scene.intent())).toBe('held');
    expect(scene.hold()).toMatchObject({ reason: 'CloudDenied', text: expect.stringContaining(remedy) });
    expect(scene.sim.fired('f')).toBeGreaterThan(0);
    scene.sim.removeFault('f');
    await finished(scene);
    checkNamed(scene, old, checkFinished(scene, old));
  });
});

/** Runs until the replacement is activated, then lets somebody else act. */
async function meddled(meddle: (scene: RecoveryFixture) => void): Promise<Awaited<ReturnType<typeof stage>>> {
  const staged = await stage(NAMED);
  const { scene } = staged;
  let done = false;
  scene.sim.onEvent((event) => {
    if (done || event.kind !== 'call' || event.action !== 'RunInstances') return;
    done = true;
    meddle(scene);
  });
  return staged;
}

describe('an operator who changes a record during the recovery', () => {
  const OTHER = '10.0.9.9';
  const pointed = (scene: RecoveryFixture) => scene.sim.dns.setRecord(PUBLIC_ZONE, a('db.example.com', [OTHER]));

  test('keeps what they said: it is held, with what there is and how to go on', async () => {
    const { scene } = await meddled(pointed);
    expect(await scene.run(scene.lead(), scene.intent())).toBe('held');
    expect(scene.hold()).toMatchObject({ reason: 'RecordChanged', text: expect.stringContaining(OTHER) });
    expect(scene.hold()?.text).toContain(`accept-loss db/primary record:${PUBLIC_ZONE}.A.db.example.com --reason TEXT`);
    expect(valuesOf(scene, PUBLIC_ZONE, 'db.example.com.')).toEqual([OTHER]);
  });

  test('and leaves it so: the rest follows, and the history says what was given up', async () => {
    const { scene } = await meddled(pointed);
    expect(await scene.run(scene.lead(), scene.intent())).toBe('held');
    const loss = `record:${PUBLIC_ZONE}.A.db.example.com`;
    scene.ask('accept-loss', { loss });
    await finished(scene);
    expect(valuesOf(scene, PUBLIC_ZONE, 'db.example.com.')).toEqual([OTHER]);
    expect(valuesOf(scene, PRIVATE_ZONE, 'db.example.com.')).not.toEqual([OTHER]);
    expect(scene.history()[0]?.losses).toContainEqual({ code: 'AcceptedLoss', text: `given up: ${loss}` });
  });

  test('and puts it right by hand: it goes on', async () => {
    const { scene, old } = await meddled(pointed);
    expect(await scene.run(scene.lead(), scene.intent())).toBe('held');
    const [newInstanceId = ''] = scene.launchedFor(old.instanceId);
    scene.sim.dns.setRecord(PUBLIC_ZONE, a('db.example.com', [ipOf(scene, newInstanceId)]));
    await finished(scene);
    checkNamed(scene, old, newInstanceId);
  });

  test('but only the TTL, or another value beside: that is carried along', async () => {
    const { scene, old } = await meddled(({ sim }) => {
      const record = [...(sim.dns.get(PUBLIC_ZONE)?.records.values() ?? [])].find(
        (one) => one.Name === 'db.example.com.',
      );
      const values = [...(record?.ResourceRecords ?? []), { Value: OTHER }];
      if (record) sim.dns.setRecord(PUBLIC_ZONE, { ...record, TTL: 30, ResourceRecords: values });
    });
    await finished(scene);
    const [newInstanceId = ''] = scene.launchedFor(old.instanceId);
    expect(valuesOf(scene, PUBLIC_ZONE, 'db.example.com.')).toEqual([ipOf(scene, newInstanceId), OTHER]);
  });

  test('a protected name is held with Route 53’s own words', async () => {
    const { scene } = await meddled(({ sim }) => sim.dns.protect(PUBLIC_ZONE, 'db.example.com', 'A', true));
    expect(await scene.run(scene.lead(), scene.intent())).toBe('held');
    expect(scene.hold()).toMatchObject({ reason: 'CloudRejected', text: expect.stringContaining('is protected') });
  });
});

describe('a call that lands long after', () => {
  test('the record was moved on meanwhile: a late swap changes nothing', async () => {
    const { scene, old } = await stage(NAMED);
    const late = { kind: 'late-landing', delayMs: 900_000, match: { resourceId: PUBLIC_ZONE } } as const;
    scene.sim.addFault({ id: 'late', action: 'route53:ChangeResourceRecordSets', ...late });
    await finished(scene);
    checkFinished(scene, old);
    scene.sim.dns.setRecord(PUBLIC_ZONE, a('db.example.com', ['10.7.7.7']));
    scene.sim.dns.setRecord(PUBLIC_ZONE, a('w.example.com', ['10.7.7.7'], { SetIdentifier: 'blue', Weight: 10 }));
    await scene.clock.advance(1_000_000);
    expect(scene.sim.fired('late')).toBe(1);
    const landed = scene.sim.log.calls('route53:ChangeResourceRecordSets').at(-1);
    expect(landed?.executed).toBe(false);
    expect(valuesOf(scene, PUBLIC_ZONE, 'db.example.com.')).toEqual(['10.7.7.7']);
  });

  test('the replacement was retired meanwhile: a late registration of it is refused', async () => {
    const { scene, old } = await stage(NAMED);
    const late = { kind: 'late-landing', delayMs: 900_000 } as const;
    scene.sim.addFault({ id: 'late', action: 'elasticloadbalancing:RegisterTargets', ...late });
    await finished(scene);
    const newInstanceId = checkFinished(scene, old);
    scene.sim.seed('StopInstances', { InstanceIds: [newInstanceId], Force: true });
    scene.sim.seedTargets(groupArn(scene), [], [{ Id: newInstanceId }, { Id: newInstanceId, Port: 8080 }]);
    await scene.clock.advance(1_000_000);
    expect(registered(scene)).toEqual([]);
  });
});

describe('a target group', () => {
  test('whose checks do not pass holds the recovery, and lets it go on once they do', async () => {
    const { scene, old } = await stage(NAMED);
    let newInstanceId = '';
    scene.sim.onEvent((event) => {
      if (event.kind !== 'call' || event.action !== 'elasticloadbalancing:RegisterTargets') return;
      newInstanceId = scene.launchedFor(old.instanceId)[0] ?? '';
      scene.sim.balancing.failingChecks.add(newInstanceId);
    });
    expect(await scene.run(scene.lead(), scene.intent())).toBe('held');
    expect(scene.hold()).toMatchObject({ reason: 'TargetNotHealthy', text: expect.stringContaining('unhealthy') });
    expect(scene.activation()?.instanceId).toBe(newInstanceId);
    scene.sim.balancing.failingChecks.delete(newInstanceId);
    await scene.clock.advance(60_000);
    await finished(scene);
    checkNamed(scene, old, newInstanceId);
  });

  test('whose balancer has not enabled the zone: said beforehand, registered, and no reason to wait', async () => {
    const { scene, old } = await stage({
      ...NAMED,
      prepare: async (one, member) => {
        await NAMED.prepare?.(one, member);
        const [balancer] = one.sim.balancing.balancers();
        const az = one.sim.core.region.instances.get(member.instanceId)?.az;
        if (balancer)
          one.sim.balancing.putBalancer({ ...balancer, zones: balancer.zones.filter((zone) => zone !== az) });
      },
    });
    expect(scene.intent().record.plan.losses).toContainEqual({
      ...{ code: 'TargetZoneDisabled', text: expect.stringContaining('gets no traffic from the target group web') },
    });
    await finished(scene);
    const newInstanceId = checkFinished(scene, old);
    expect(registered(scene).toSorted()).toEqual([`${newInstanceId}:80`, `${newInstanceId}:8080`]);
  });
});

describe('a service that does not answer when the plan is made', () => {
  test.each([
    ['route53:ListResourceRecordSets', 'RecordsUnread'],
    ['elasticloadbalancing:DescribeTargetGroups', 'TargetGroupsUnread'],
  ])('%s: the recovery goes on without, and says so', async (action, code) => {
    const { scene, old } = await stage({
      ...NAMED,
      prepare: async (one, member) => {
        await NAMED.prepare?.(one, member);
        one.sim.addFault({
          id: 'down',
          action,
          kind: 'error',
          code: 'ServiceUnavailable',
          httpStatus: 503,
          times: 100,
        });
      },
    });
    expect(scene.intent().record.plan.losses.map((one) => one.code)).toContain(code);
    await finished(scene);
    checkFinished(scene, old);
  });
});
