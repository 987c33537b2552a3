import { inProcessTransport } from '@understudy/cloud-sim';
import { launchPlan } from '@understudy/recovery';
import { describe, expect, test } from 'vitest';
import { checkFinished } from './checks.ts';
import { RecoveryFixture } from './recovery-fixture.ts';

/** Longer than the simulator's reads lag behind. */
const SEEN_EVERYWHERE_MS = 60_000;

interface Reserve {
  readonly az?: string;
  readonly instanceType?: string;
  readonly count?: number;
}

/** A member whose policy names a reservation in its own zone, and another zone without one. */
class Reserved {
  readonly scene = new RecoveryFixture({ settings: { capacityPauseMs: 10_000 } });
  reservationId = '';

  ask(action: string, input: Record<string, unknown>): Promise<Record<string, unknown>> {
    return this.scene.clock.runUntilSettled(inProcessTransport(this.scene.sim)(action, input));
  }

  async reserve({ az = 'us-east-1a', instanceType = 't3.micro', count = 1 }: Reserve = {}): Promise<void> {
    const asked = { AvailabilityZone: az, InstanceType: instanceType, InstanceCount: count };
    const made = await this.ask('CreateCapacityReservation', { ...asked, InstancePlatform: 'Linux/UNIX' });
    const { CapacityReservationId } = made['CapacityReservation'] as { readonly CapacityReservationId: string };
    this.reservationId = CapacityReservationId;
    await this.scene.clock.advance(SEEN_EVERYWHERE_MS);
  }

  place(zones: readonly string[]): void {
    const { subnets } = this.scene.sim.defaultResources;
    const [first = '', ...others] = zones.map((az) => subnets[az] ?? '');
    this.scene.policy.recover.placements.push(
      { subnetId: first, capacityReservation: this.reservationId },
      ...others.map((subnetId) => ({ subnetId })),
    );
  }

  /** Whatever was sent about the zone of the reservation. */
  sentInto(az: string): number {
    const subnetId = this.scene.sim.defaultResources.subnets[az];
    const asked = this.scene.sim.log
      .calls('CreateNetworkInterface')
      .filter((one) => one.input['SubnetId'] === subnetId);
    return asked.length;
  }

  zoneOf(instanceId: string): string | undefined {
    return this.scene.sim.core.region.instances.get(instanceId)?.az;
  }
}

const ZONES = ['us-east-1a', 'us-east-1b'];

describe('a capacity reservation that a candidate names', () => {
  test.each<[string, Reserve, string]>([
    ['of another zone', { az: 'us-east-1c' }, 'PlacementReservationMisfit'],
    ['of another type', { instanceType: 'm5.large' }, 'PlacementReservationMisfit'],
  ])('and that is %s leaves the candidate out of the plan, with its reason', async (_, reserve, code) => {
    const one = new Reserved();
    await one.reserve(reserve);
    one.place(ZONES);
    const old = one.scene.seedMember();
    const { plan } = (await one.scene.begin(old)).record;
    expect(launchPlan(plan)?.candidates.map(({ az }) => az)).toEqual(['us-east-1b']);
    expect(plan.losses).toContainEqual(
      expect.objectContaining({ code, text: expect.stringContaining(one.reservationId) }),
    );
    expect(await one.scene.run(one.scene.lead(), one.scene.intent())).toBe('finished');
    expect(one.zoneOf(checkFinished(one.scene, old))).toBe('us-east-1b');
  });

  test('and that ends after the plan was made is passed over before anything is sent for it', async () => {
    const one = new Reserved();
    await one.reserve();
    one.place(ZONES);
    const old = one.scene.seedMember();
    await one.scene.begin(old);
    await one.ask('CancelCapacityReservation', { CapacityReservationId: one.reservationId });
    await one.scene.clock.advance(SEEN_EVERYWHERE_MS);
    expect(await one.scene.run(one.scene.lead(), one.scene.intent())).toBe('finished');
    expect(one.zoneOf(checkFinished(one.scene, old))).toBe('us-east-1b');
    expect(one.sentInto('us-east-1a')).toBe(0);
  });

  test('and that is full is passed over, and said so in the plan', async () => {
    const one = new Reserved();
    await one.reserve();
    one.place(ZONES);
    const old = one.scene.seedMember();
    const other = one.scene.seedMember('db/other', { request: reservedBy(one.reservationId) });
    const { plan } = (await one.scene.begin(old)).record;
    expect(plan.losses.map((loss) => loss.code)).toContain('ReservationHasNoRoom');
    expect(await one.scene.run(one.scene.lead(), one.scene.intent())).toBe('finished');
    expect(one.zoneOf(checkFinished(one.scene, old))).toBe('us-east-1b');
    expect([one.sentInto('us-east-1a'), one.scene.stateOf(other.instanceId)]).toEqual([0, 'running']);
  });

  test('and that is full, with no other place, is waited for, and used once it has room', async () => {
    const one = new Reserved();
    await one.reserve();
    one.place(['us-east-1a']);
    const old = one.scene.seedMember();
    const other = one.scene.seedMember('db/other', { request: reservedBy(one.reservationId) });
    await one.scene.begin(old);
    one.scene.clock.setTimer(120_000, () => {
      void inProcessTransport(one.scene.sim)('TerminateInstances', { InstanceIds: [other.instanceId] });
    });
    const beganAtMs = one.scene.clock.monotonicMs();
    expect(await one.scene.run(one.scene.lead(), one.scene.intent())).toBe('finished');
    expect(one.zoneOf(checkFinished(one.scene, old))).toBe('us-east-1a');
    expect(one.scene.clock.monotonicMs() - beganAtMs).toBeGreaterThan(120_000);
    expect(one.sentInto('us-east-1a')).toBe(1);
  });

  test('and in which the failed instance itself has its place is used: the fence gives that place back', async () => {
    const one = new Reserved();
    await one.reserve();
    one.place(ZONES);
    const old = one.scene.seedMember('db/primary', { request: reservedBy(one.reservationId) });
    const { plan } = (await one.scene.begin(old)).record;
    expect(plan.losses.map((loss) => loss.code)).not.toContain('ReservationHasNoRoom');
    expect(await one.scene.run(one.scene.lead(), one.scene.intent())).toBe('finished');
    expect(one.zoneOf(checkFinished(one.scene, old))).toBe('us-east-1a');
  });

  test('and about which EC2 may not be asked is tried as before', async () => {
    const one = new Reserved();
    await one.reserve();
    one.place(ZONES);
    const old = one.scene.seedMember();
    one.scene.sim.addFault({
      ...{ id: 'denied', action: 'DescribeCapacityReservations', kind: 'error' },
      ...{ code: 'UnauthorizedOperation', httpStatus: 403, times: 100 },
    });
    await one.scene.begin(old);
    expect(await one.scene.run(one.scene.lead(), one.scene.intent())).toBe('finished');
    expect(one.zoneOf(checkFinished(one.scene, old))).toBe('us-east-1a');
    expect(one.scene.sim.fired('denied')).toBeGreaterThan(1);
  });
});

const reservedBy = (reservationId: string) => ({
  CapacityReservationSpecification: { CapacityReservationTarget: { CapacityReservationId: reservationId } },
});
