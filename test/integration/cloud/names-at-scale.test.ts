import { CloudSim, inProcessService, seedInstance } from '@understudy/cloud-sim';
import { dnsRecordsOver, ServiceLimiters, targetGroupsOver } from '@understudy/aws';
import { isOperationError } from '@understudy/shared';
import { SimClock } from '@understudy/shared/testing';
import { expect, test } from 'vitest';

/** Members that come back at once; all have a record in one zone and are targets of one group. */
const MEMBERS = 200;
const REFUSALS = new Set(['Throttling', 'RequestLimitExceeded', 'PriorRequestNotComplete']);
const DOMAIN = 'example.com';
const LOOK_EVERY_MS = 5_000;
const PAUSE_MS = 2_000;

/** A Region with everybody's old and new machine, and the names of all on the old ones. */
function world(limited: boolean) {
  const clock = new SimClock();
  const sim = new CloudSim({ clock });
  const zoneId = sim.dns.make({ name: DOMAIN }).id;
  const vpcId = sim.core.region.vpcs.all()[0]?.id ?? '';
  const { arn: loadBalancerArn } = sim.balancing.makeBalancer({ name: 'front', vpcId, zones: sim.zones });
  const { arn } = sim.balancing.make({ name: 'web', port: 80, vpcId, loadBalancerArn });
  const members = Array.from({ length: MEMBERS }, (_, at) => {
    const [old, fresh] = [seedInstance(sim), seedInstance(sim)];
    const name = `m${at}.${DOMAIN}`;
    const record = { Name: name, Type: 'A' as const, TTL: 60, ResourceRecords: [{ Value: old.privateIp }] };
    sim.dns.setRecord(zoneId, record);
    sim.seedTargets(arn, [{ Id: old.instanceId }]);
    return { name, old, fresh };
  });
  const limiters = new ServiceLimiters({ clock, share: 0.9 });
  const partsOf = (service: 'route53' | 'elasticloadbalancing') => ({
    ...{ transport: inProcessService(sim, service), clock, callTimeoutMs: 5_000 },
    ...(limited && { limiter: limiters.of(service === 'route53' ? 'route53' : 'elbv2') }),
  });
  const dns = dnsRecordsOver(partsOf('route53'));
  const targetGroups = targetGroupsOver(partsOf('elasticloadbalancing'));
  return { clock, sim, zoneId, arn, members, dns, targetGroups };
}
type World = ReturnType<typeof world>;

/** As a step does: what is refused in passing is asked again. */
async function again<T>(clock: SimClock, call: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (!isOperationError(error) || error.code !== 'CLOUD_THROTTLED') throw error;
      await clock.sleep(PAUSE_MS);
    }
  }
}

async function lookUntil(clock: SimClock, isSo: () => Promise<boolean>): Promise<void> {
  while (!(await again(clock, isSo))) await clock.sleep(LOOK_EVERY_MS);
}

/** What a recovery does about the names of one member. */
async function rename({ clock, zoneId, arn, dns, targetGroups }: World, member: World['members'][number]) {
  const { name, old, fresh } = member;
  const [record] = await again(clock, () => dns.describeRecords(zoneId, { name, type: 'A' }));
  const exact = record?.exact ?? {};
  const swap = { zoneId, old: exact, comment: '', fresh: { ...exact, ResourceRecords: [{ Value: fresh.privateIp }] } };
  const { changeId } = await again(clock, () => dns.swapRecord(swap));
  await lookUntil(clock, async () => (await dns.describeChange(changeId)) === 'INSYNC');
  const target = (id: string) => ({ id, port: 80, az: null, quicServerId: null });
  await again(clock, () => targetGroups.registerTargets(arn, [target(fresh.instanceId)]));
  const stateOf = async () =>
    (await targetGroups.describeTargets(arn)).find(({ id }) => id === fresh.instanceId)?.state;
  await lookUntil(clock, async () => (await stateOf()) === 'healthy');
  await again(clock, () => targetGroups.deregisterTargets(arn, [target(old.instanceId)]));
}

/** Refusals while all of them are renamed, and how long it takes. */
async function renamed(limited: boolean) {
  const staged = world(limited);
  const { clock, sim, zoneId, members } = staged;
  let refused = 0;
  sim.onEvent((event) => {
    if (event.kind === 'call' && REFUSALS.has(event.outcome)) refused += 1;
  });
  await clock.runUntilSettled(Promise.all(members.map((member) => rename(staged, member))));
  const pointed = [...(sim.dns.get(zoneId)?.records.values() ?? [])].flatMap((one) => one.ResourceRecords ?? []);
  expect(new Set(pointed.map(({ Value }) => Value))).toEqual(new Set(members.map(({ fresh }) => fresh.privateIp)));
  return { refused, tookMs: clock.monotonicMs() };
}

test('two hundred members get their names back at once, and not one call is throttled', async () => {
  const { refused, tookMs } = await renamed(true);
  expect(refused).toBe(0);
  // One change of the zone after the other, 0.6 s apart and more, and what the last one looks for.
  expect(tookMs).toBeLessThan(MEMBERS * 900 + 180_000);
});

test('without the limiters the same calls are refused by the hundred', async () => {
  expect((await renamed(false)).refused).toBeGreaterThan(100);
});
