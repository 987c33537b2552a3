import { policyWith } from '@understudy/shared/testing';
import { DEFAULT_POLICY } from '@understudy/shared';
import { describe, expect, it } from 'vitest';
import { NOT_TRIED, trialOutcome, trialRequestOf } from './launch-trial.ts';
import { instanceFixture, OLD_INSTANCE_ID, planFixture, planInputFixture } from './plan.fixture.ts';
import { makePlan, readinessProblemsOf } from './plan.ts';
import type { PlanInput } from './plan-input.ts';
import { UNKNOWN_REFERENCES } from './references.ts';

const named = instanceFixture(
  {},
  {
    Placement: { AvailabilityZone: 'us-east-1a', GroupId: 'pg-1', GroupName: 'near', PartitionNumber: 2 },
    CapacityReservationSpecification: { CapacityReservationTarget: { CapacityReservationId: 'cr-1' } },
    Licenses: [{ LicenseConfigurationArn: 'arn:aws:license-manager:::1' }],
  },
);
const withReferences = (change: Partial<PlanInput['references']>): Partial<PlanInput> => ({
  instance: named,
  references: { ...UNKNOWN_REFERENCES, routes: [], ...change },
});
const image = {
  imageId: 'ami-1',
  name: '',
  state: 'available',
  rootSnapshotId: null,
  rootDeviceName: '/dev/xvda',
  otherDeviceNames: [],
  bootMode: null,
  enaSupport: true,
  tpmSupport: null,
  sriovNetSupport: null,
  virtualizationType: 'hvm',
  imdsSupport: null,
  architecture: 'x86_64',
  tags: {},
};

describe('what the old instance names and EC2 has no more', () => {
  it('is left out where it is a key pair, with a loss, and a readiness problem that refuses nothing', () => {
    const plan = planFixture(withReferences({ keyPair: 'gone' }));
    expect(plan.launchBase.KeyName).toBeUndefined();
    const loss = plan.losses.find((one) => one.code === 'KeyPairGone');
    expect(loss?.text).toContain('key pair ops');
    const result = makePlan(planInputFixture(withReferences({ keyPair: 'gone' })), DEFAULT_POLICY);
    expect(readinessProblemsOf(result).map((one) => one.code)).toEqual(['KeyPairGone']);
  });

  it.each([
    ['placementGroup', 'placement-group', 'PlacementGroupGone', /group near/, ['Placement']],
    [
      'capacityReservation',
      'capacity-reservation',
      'CapacityReservationGone',
      /cr-1/,
      ['CapacityReservationSpecification'],
    ],
    ['instanceProfile', 'instance-profile', 'InstanceProfileGone', /instance-profile\/db/, ['IamInstanceProfile']],
    ['licences', 'licence', 'LicenceGone', /license-manager/, ['LicenseSpecifications']],
  ] as const)('refuses where it is the %s, unless the policy leaves it out', (which, kind, code, words, members) => {
    const input = planInputFixture(withReferences({ [which]: 'gone' }));
    const blocked = makePlan(input, DEFAULT_POLICY);
    expect(blocked.kind === 'blocked' && blocked.problems).toEqual([{ code, text: expect.stringMatching(words) }]);
    const left = makePlan(input, policyWith({ recover: { leaveOutWhenGone: [kind] } }));
    const base = left.kind === 'plan' ? left.plan.launchBase : {};
    for (const member of members) {
      if (member === 'Placement') expect(base.Placement).toEqual({ AvailabilityZone: 'us-east-1a' });
      else expect(base[member]).toBeUndefined();
    }
  });

  it('is not what nobody could ask about', () => {
    const plan = planFixture(withReferences({}));
    expect(plan.launchBase).toMatchObject({ KeyName: 'ops', Placement: { GroupId: 'pg-1', PartitionNumber: 2 } });
  });
});

describe('routes', () => {
  it('are named that lead to the instance or to any of its interfaces', () => {
    const route = { routeTableId: 'rtb-1', destination: '10.9.0.0/16', instanceId: null, networkInterfaceId: null };
    const routes = [
      { ...route, instanceId: OLD_INSTANCE_ID },
      { ...route, destination: '0.0.0.0/0', networkInterfaceId: named.networkInterfaces[0]?.networkInterfaceId ?? '' },
      { ...route, destination: '10.8.0.0/16', instanceId: 'i-other' },
    ];
    const loss = planFixture(withReferences({ routes })).losses.find((one) => one.code === 'RoutesNotMoved');
    expect(loss?.text).toContain('10.9.0.0/16 in rtb-1, 0.0.0.0/0 in rtb-1');
    expect(loss?.text).not.toContain('10.8');
  });
});

describe('a launch that is tried', () => {
  it('says by its refusal that the profile or the licence is gone', () => {
    const words = 'Value (x) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name';
    const trial = trialOutcome('CLOUD_REJECTED', 'InvalidParameterValue', words);
    const result = makePlan(planInputFixture({ trial }), DEFAULT_POLICY);
    expect(result.kind === 'blocked' && result.problems.map((one) => one.code)).toEqual(['InstanceProfileGone']);
  });

  it.each([
    ['CLOUD_DENIED', 'UnauthorizedOperation', 'LaunchDenied'],
    ['CLOUD_REJECTED', 'InvalidParameterCombination', 'LaunchRefused'],
    ['CLOUD_CAPACITY', 'Unsupported', 'LaunchRefused'],
  ] as const)('is a readiness problem, and refuses no recovery, on %s %s', (code, upstream, problem) => {
    const result = makePlan(planInputFixture({ trial: trialOutcome(code, upstream, 'words of EC2') }), DEFAULT_POLICY);
    expect(result.kind).toBe('plan');
    expect(readinessProblemsOf(result).map((one) => one.code)).toEqual([problem]);
  });

  it.each([
    ['CLOUD_CAPACITY', 'InsufficientInstanceCapacity'],
    ['CLOUD_THROTTLED', 'RequestLimitExceeded'],
    ['CLOUD_OUTCOME_UNKNOWN', undefined],
  ] as const)('says nothing on %s', (code, upstream) => {
    expect(trialOutcome(code, upstream, '')).toEqual(NOT_TRIED);
  });

  it("carries no recovery's tags, no member's, and the failed instance's image", () => {
    const request = trialRequestOf(planInputFixture({ image }), planFixture());
    expect(request).toMatchObject({ ImageId: 'ami-1', SubnetId: 'subnet-a', MinCount: 1, MaxCount: 1 });
    const marks = [
      { Key: 'understudy:attempt', Value: '0' },
      { Key: 'understudy:op', Value: 'dry-run' },
    ];
    expect(request?.TagSpecifications).toEqual([
      { ResourceType: 'instance', Tags: marks },
      { ResourceType: 'volume', Tags: marks },
    ]);
    expect(trialRequestOf(planInputFixture({ image: null }), planFixture())).toBeNull();
  });
});
