import { describe, expect, test } from 'vitest';
import { checkFinished } from './checks.ts';
import { RecoveryFixture, type RecoveryFixtureOptions } from './recovery-fixture.ts';

const TRACKING = { TcpEstablishedTimeout: 600, UdpStreamTimeout: 90 };

/** A member with everything that only creations and later calls can give. */
function staged(options: RecoveryFixtureOptions = {}) {
  const scene = new RecoveryFixture(options);
  const [az = ''] = scene.sim.zones;
  const { subnets, securityGroupId } = scene.sim.defaultResources;
  const old = scene.seedMember('db/primary', {
    request: {
      ...{ SubnetId: undefined, SecurityGroupIds: undefined },
      NetworkInterfaces: [
        {
          ...{ DeviceIndex: 0, SubnetId: subnets[az], Groups: [securityGroupId] },
          ...{ InterfaceType: 'efa', ConnectionTrackingSpecification: TRACKING },
        },
      ],
      PrivateDnsNameOptions: { EnableResourceNameDnsARecord: true, EnableResourceNameDnsAAAARecord: true },
    },
  });
  const instance = scene.sim.core.region.instances.get(old.instanceId);
  if (!instance) throw new Error('not seeded');
  const maintenance = { ...instance.maintenance, rebootMigration: 'disabled' as const };
  scene.sim.core.region.instances.update(old.instanceId, { maintenance }, scene.clock.monotonicMs(), true);
  return { scene, old };
}

function seen({ sim }: RecoveryFixture, instanceId: string) {
  const instance = sim.core.region.instances.get(instanceId);
  const primary = sim.core.region.networkInterfaces.get(instance?.networkInterfaceIds[0] ?? '');
  return {
    type: primary?.interfaceType,
    tracking: primary?.connectionTracking,
    migration: instance?.maintenance.rebootMigration,
    records: instance?.dnsNames?.EnableResourceNameDnsAAAARecord,
  };
}

const LIKE_BEFORE = { type: 'efa', tracking: TRACKING, migration: 'disabled', records: true };
const RECORDS_OF_LOSS = ['InterfaceTypeLost', 'ConnectionTrackingLost', 'RebootMigrationLost', 'PrivateDnsOptionsLost'];

describe('what a launch cannot carry', () => {
  test('is given to the permit when it is made, or put back once the replacement serves', async () => {
    const { scene, old } = staged();
    const { plan } = (await scene.begin(old)).record;
    expect(plan.losses.filter(({ code }) => RECORDS_OF_LOSS.includes(code))).toEqual([]);
    expect(await scene.run(scene.lead(), scene.intent())).toBe('finished');
    expect(seen(scene, checkFinished(scene, old))).toEqual(LIKE_BEFORE);
  });

  test('is named as lost, and left, while older coordinators may lead', async () => {
    const { scene, old } = staged({ level: 1 });
    const { plan } = (await scene.begin(old)).record;
    expect(plan.losses.map(({ code }) => code)).toEqual(expect.arrayContaining(RECORDS_OF_LOSS));
    expect(await scene.run(scene.lead(), scene.intent())).toBe('finished');
    expect(seen(scene, checkFinished(scene, old))).toMatchObject({ type: 'interface', migration: 'default' });
  });

  test.each(['ModifyInstanceMaintenanceOptions', 'ModifyPrivateDnsNameOptions'])(
    'and that %s refuses is owed, and the collector goes on',
    async (action) => {
      const { scene, old } = staged();
      await scene.begin(old);
      scene.sim.addFault({
        ...{ id: 'no', action, kind: 'error', code: 'UnauthorizedOperation', httpStatus: 403, times: 1 },
      });
      const leader = scene.lead();
      expect(await scene.run(leader, scene.intent())).toBe('finished');
      const owed = scene.history()[0]?.owed ?? [];
      expect(owed.map(({ chore }) => chore.kind)).toEqual([
        action === 'ModifyPrivateDnsNameOptions' ? 'dns-records' : 'reboot-migration',
      ]);
      const newInstanceId = checkFinished(scene, old);
      const collector = scene.collector(leader);
      // The second pass sees what the first one did.
      for (let pass = 0; pass < 2; pass += 1) {
        await scene.clock.advance(120_000);
        await scene.clock.runUntilSettled(collector.collect(leader.term));
      }
      expect(seen(scene, newInstanceId)).toEqual(LIKE_BEFORE);
      expect([scene.sim.fired('no'), scene.history()[0]?.owed]).toEqual([1, []]);
    },
  );

  test.each(['timeout-after-success', 'timeout-before', 'throttle'] as const)(
    'comes back although a call for it goes wrong: %s',
    async (kind) => {
      const { scene, old } = staged();
      await scene.begin(old);
      for (const action of ['ModifyInstanceMaintenanceOptions', 'ModifyPrivateDnsNameOptions'])
        scene.sim.addFault({ id: action, action, kind, times: 1 });
      expect(await scene.run(scene.lead(), scene.intent())).toBe('finished');
      expect(seen(scene, checkFinished(scene, old))).toEqual(LIKE_BEFORE);
      expect(scene.sim.fired('ModifyInstanceMaintenanceOptions')).toBe(1);
    },
  );
});
