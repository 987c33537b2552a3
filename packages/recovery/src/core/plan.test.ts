import { policyWith } from '@understudy/shared/testing';
import { DEFAULT_POLICY, RecoveryPlanSchema } from '@understudy/shared';
import { describe, expect, it } from 'vitest';
import { FORMATS, firstBoot } from './fidelity/example-parts.fixtures.ts';
import { instanceFixture, planFixture, planInputFixture } from './plan.fixture.ts';
import { makePlan, readinessProblemsOf } from './plan.ts';
import type { PlanInput } from './plan-input.ts';

describe('a plan is refused', () => {
  it('with every problem at once, which enrolment shows as readiness problems', () => {
    const both = { instance: instanceFixture({ state: 'terminated' }, { InstanceLifecycle: 'spot' }) };
    const result = makePlan(planInputFixture(both), DEFAULT_POLICY);
    expect(readinessProblemsOf(result).map((problem) => problem.code)).toEqual(['SpotInstance', 'InstanceGone']);
  });
});

describe('user data that formats at the first boot', () => {
  const formats = firstBoot({ formatting: [FORMATS], neutralised: 'bmV1dHJhbA==' });
  const withPolicy = (input: Partial<PlanInput>, firstBootFormatting: 'refuse' | 'neutralise' | 'allow') =>
    makePlan(planInputFixture(input), policyWith({ recover: { firstBootFormatting } }));

  it('is refused by default, naming key, device and the way out', () => {
    const result = makePlan(planInputFixture(formats), DEFAULT_POLICY);
    const [problem] = readinessProblemsOf(result);
    expect(problem?.text).toMatch(/fs_setup: \/dev\/nvme1n1.*set recover.firstBootFormatting/s);
  });

  it('is launched as it is where the policy allows it', () => {
    const result = withPolicy(formats, 'allow');
    expect(result.kind === 'plan' && result.plan.launchBase.UserData).toBe(planInputFixture().userData);
  });

  it('is launched without what formats where the policy wants it neutralised', () => {
    const result = withPolicy(formats, 'neutralise');
    expect(result.kind === 'plan' && result.plan.launchBase.UserData).toBe('bmV1dHJhbA==');
  });

  it('is refused where it cannot be neutralised', () => {
    const result = withPolicy(firstBoot({ formatting: [FORMATS] }), 'neutralise');
    expect(readinessProblemsOf(result).map((one) => one.code)).toEqual(['FirstBootFormats']);
  });
});

describe('a plan of an ordinary member', () => {
  it('fits the schema and survives the way through etcd unchanged', () => {
    const plan = planFixture();
    expect(RecoveryPlanSchema.parse(JSON.parse(JSON.stringify(plan)))).toEqual(plan);
  });

  it('is the same for the same input', () => {
    expect(JSON.stringify(planFixture())).toBe(JSON.stringify(planFixture()));
  });

  it('lists the root volume first', () => {
    expect(planFixture().volumes.map((volume) => [volume.deviceName, volume.isRoot])).toEqual([
      ['/dev/xvda', true],
      ['/dev/sdf', false],
    ]);
  });

  it('moves the Elastic IP and keeps the source/destination check and protection', () => {
    const plan = planFixture();
    expect(plan.addresses).toEqual([
      { allocationId: 'eipalloc-1', publicIp: '203.0.113.7', associationId: 'eipassoc-1' },
    ]);
    expect(plan.sourceDestCheck).toBe(false);
    expect(plan.protection).toEqual({ stop: false, termination: true });
    expect(plan.networkInterfaceTags).toEqual({ Name: 'eni of db one' });
  });

  it('leaves out aws: tags and the marks of an earlier recovery', () => {
    const tags = {
      'aws:cloudformation:stack-name': 's',
      'understudy:op': 'op-1',
      'understudy:attempt': '2',
      Name: 'n',
    };
    expect(planFixture({ instance: instanceFixture({ tags }) }).instanceTags).toEqual({ Name: 'n' });
  });

  it('drops tags over the limit of 50, never its own', () => {
    const tags = {
      ...Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`a${i}`, 'v'])),
      'understudy:group': 'db',
    };
    const { instanceTags } = planFixture({ instance: instanceFixture({ tags }) });
    expect(Object.keys(instanceTags)).toHaveLength(50);
    expect(instanceTags['understudy:group']).toBe('db');
  });

  it('carries what a launch can set', () => {
    const instance = instanceFixture(
      { instanceType: 't3.small', detailedMonitoring: true },
      {
        CpuOptions: { CoreCount: 1, ThreadsPerCore: 1 },
        EnclaveOptions: { Enabled: true },
        HibernationOptions: { Configured: true },
        Licenses: [{ LicenseConfigurationArn: 'arn:l' }],
        NetworkPerformanceOptions: { BandwidthWeighting: 'vpc-1' },
        MaintenanceOptions: { AutoRecovery: 'disabled' },
        Placement: {
          AvailabilityZone: 'us-east-1a',
          Tenancy: 'dedicated',
          GroupId: 'pg-1',
          GroupName: 'pg',
          PartitionNumber: 3,
        },
        CapacityReservationSpecification: { CapacityReservationPreference: 'none' },
      },
    );
    expect(planFixture({ instance, cpuCredits: 'unlimited' }).launchBase).toEqual({
      CapacityReservationSpecification: { CapacityReservationPreference: 'none' },
      CpuOptions: { CoreCount: 1, ThreadsPerCore: 1 },
      CreditSpecification: { CpuCredits: 'unlimited' },
      EbsOptimized: true,
      EnclaveOptions: { Enabled: true },
      HibernationOptions: { Configured: true },
      IamInstanceProfile: { Arn: 'arn:aws:iam::123456789012:instance-profile/db' },
      InstanceInitiatedShutdownBehavior: 'stop',
      InstanceType: 't3.small',
      KeyName: 'ops',
      LicenseSpecifications: [{ LicenseConfigurationArn: 'arn:l' }],
      MaintenanceOptions: { AutoRecovery: 'disabled' },
      MetadataOptions: { HttpEndpoint: 'enabled', HttpPutResponseHopLimit: 2, HttpTokens: 'required' },
      Monitoring: { Enabled: true },
      NetworkPerformanceOptions: { BandwidthWeighting: 'vpc-1' },
      Placement: { AvailabilityZone: 'us-east-1a', GroupId: 'pg-1', PartitionNumber: 3, Tenancy: 'dedicated' },
      UserData: 'bWVtYmVyOiBkYi9vbmU=',
    });
  });

  it('does not repeat the default CPU options of the type, which other types would refuse', () => {
    expect(planFixture().launchBase.CpuOptions).toBeUndefined();
  });
});
