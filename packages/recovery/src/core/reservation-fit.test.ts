import { describe, expect, it } from 'vitest';
import { reservationFixture } from './plan.fixture.ts';
import {
  isLiveReservation,
  reservationMisfit,
  reservationNamed,
  reservationOfCandidate,
  reservationShortage,
} from './reservation-fit.ts';

const launch = { az: 'us-east-1a', instanceType: 'm7i.large', platform: 'Linux/UNIX', tenancy: 'default' };

describe('a capacity reservation that a candidate names', () => {
  it.each([
    [{ az: 'us-east-1b' }, 'is of zone us-east-1b, and the launch is of zone us-east-1a'],
    [{ instanceType: 'm6i.large' }, 'is of type m6i.large, and the launch is of type m7i.large'],
    [{ platform: 'Windows' }, 'is of platform Windows, and the launch is of platform Linux/UNIX'],
    [{ tenancy: 'dedicated' }, 'is of tenancy dedicated, and the launch is of tenancy default'],
  ])('never takes a launch of another %o', (change, text) => {
    expect(reservationMisfit('cr-1', reservationFixture(change), launch)).toEqual({
      code: 'PlacementReservationMisfit',
      text: `the capacity reservation cr-1 ${text}`,
    });
  });

  it.each(['expired', 'cancelled', 'failed', 'payment-failed', 'unsupported'])('takes none once it is %s', (state) => {
    const found = reservationFixture({ state });
    expect(isLiveReservation(found)).toBe(false);
    expect(reservationMisfit('cr-1', found, launch)?.code).toBe('PlacementReservationGone');
  });

  it('that EC2 does not know takes none', () => {
    expect(reservationMisfit('cr-1', null, launch)?.code).toBe('PlacementReservationGone');
  });

  it('is not left out for what nobody knows', () => {
    const silent = { az: null, instanceType: null, platform: null, tenancy: null, available: null };
    expect(reservationMisfit('cr-1', undefined, launch)).toBeNull();
    expect(reservationMisfit('cr-1', reservationFixture(silent), launch)).toBeNull();
    expect(reservationMisfit('cr-1', reservationFixture(), { ...launch, platform: null, tenancy: null })).toBeNull();
    expect(reservationShortage('cr-1', reservationFixture(silent))).toBeNull();
    expect(reservationShortage('cr-1', null)).toBeNull();
  });

  it('of RHEL is of the platform that instances call by its whole name', () => {
    const rhel = reservationFixture({ platform: 'RHEL with SQL Server Web' });
    const platform = 'Red Hat Enterprise Linux with SQL Server Web';
    expect(reservationMisfit('cr-1', rhel, { ...launch, platform })).toBeNull();
  });

  it('is passed over for a while where it is full or has not begun', () => {
    const full = reservationFixture({ available: 0 });
    expect(reservationShortage('cr-1', full)).toBe('the capacity reservation cr-1 has no place left');
    expect(reservationShortage('cr-1', full, 1)).toBeNull();
    expect(reservationShortage('cr-1', reservationFixture({ state: 'scheduled' }))).toContain('is scheduled');
    expect(reservationShortage('cr-1', reservationFixture())).toBeNull();
  });

  it('is one by its id: a group, a preference or nothing names none', () => {
    const launchWith = (target: object) => ({
      CapacityReservationSpecification: { CapacityReservationTarget: target },
    });
    expect(reservationNamed(launchWith({ CapacityReservationId: 'cr-1' }))).toBe('cr-1');
    expect(reservationNamed(launchWith({ CapacityReservationResourceGroupArn: 'arn:x' }))).toBeNull();
    expect(reservationNamed({})).toBeNull();
    expect(
      ['cr-1', 'open', 'arn:aws:resource-groups:x', undefined].map((capacityReservation) =>
        reservationOfCandidate({ capacityReservation }),
      ),
    ).toEqual(['cr-1', null, null, null]);
  });
});
