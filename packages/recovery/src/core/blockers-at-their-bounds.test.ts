import { type PolicyChange, policyWith } from '@understudy/shared/testing';
import { type CloudInstance } from '@understudy/shared';
import { describe, expect, it } from 'vitest';
import {
  instanceFixture,
  planFixture,
  planInputFixture,
  typeFactsFixture,
  typeFixture,
  volumeFixture,
} from './plan.fixture.ts';
import { makePlan, readinessProblemsOf } from './plan.ts';
import type { PlanInput } from './plan-input.ts';

/** What refuses a recovery, one step on this and on the other side of where it begins. */

const problems = (change: Partial<PlanInput>, policy: PolicyChange = {}, leaveAz: string | null = null) => {
  const result = makePlan(planInputFixture(change), policyWith(policy), leaveAz);
  return new Map(result.kind === 'blocked' ? result.problems.map(({ code, text }) => [code, text]) : []);
};
const raw = (members: Record<string, unknown>, over: Partial<CloudInstance> = {}): Partial<PlanInput> => ({
  instance: instanceFixture(over, members),
});
const tagged = (key: string): Partial<PlanInput> => ({ instance: instanceFixture({ tags: { [key]: 'x' } }) });
const data = (change: Partial<Parameters<typeof volumeFixture>[0]>): Partial<PlanInput> => ({
  volumes: [volumeFixture({ volumeId: 'vol-root' }), volumeFixture({ volumeId: 'vol-data', ...change })],
});
const type = (
  change: Parameters<typeof typeFixture>[0],
  members: Record<string, unknown> = {},
): Partial<PlanInput> => ({
  ...{ typeFacts: typeFactsFixture(typeFixture(change)) },
  ...raw(members),
});
const attachment = { instanceId: 'i-1', deviceName: '/dev/sdf', state: 'attached' } as const;

describe('a recovery is refused, in words', () => {
  it.each<[string, string, Partial<PlanInput>, string]>([
    ['by an owner of this kind', 'ManagedByEks', tagged('aws:eks:cluster'), 'tag aws:eks:cluster: EKS manages'],
    ['by a Spot fleet', 'ManagedByFleet', tagged('aws:ec2spot:fleet-request-id'), 'a Spot fleet manages'],
    [
      'by an operator without a name',
      'ManagedByOperator',
      raw({ Operator: { Managed: true } }),
      'an AWS service operates',
    ],
    ['by an operator', 'ManagedByOperator', raw({ Operator: { Managed: true, Principal: 'p' } }), 'p operates'],
    ['while it goes', 'InstanceGone', { instance: instanceFixture({ state: 'shutting-down' }) }, 'is shutting-down'],
    ['on Windows', 'PlatformUnsupported', raw({ PlatformDetails: undefined, Platform: 'windows' }), 'Windows:'],
    [
      'on Windows with a licence',
      'PlatformUnsupported',
      raw({ PlatformDetails: 'Windows', Platform: 'windows' }),
      'Windows:',
    ],
    [
      'without a root device',
      'RootVolumeMissing',
      { instance: instanceFixture({ rootDeviceName: null }) },
      '(unknown)',
    ],
    [
      'for a volume of two',
      'VolumeMultiAttach',
      data({ attachments: [attachment, attachment] }),
      'vol-data is a Multi',
    ],
    ['for a volume without a size', 'VolumeUnknown', data({ sizeGiB: 0 }), 'size and type of volume vol-data'],
    ['for a volume without a type', 'VolumeUnknown', data({ volumeType: '' }), 'size and type of volume vol-data'],
  ])('%s', (_, code, change, text) => expect(problems(change).get(code)).toContain(text));
  it('by each owner once', () => {
    const tags = { 'eks:a': '1', 'eks:b': '1', 'aws:ec2:fleet-id': 'f' };
    expect([...problems({ instance: instanceFixture({ tags }) }).keys()]).toEqual(['ManagedByEks', 'ManagedByFleet']);
  });
});

describe('a recovery is not refused', () => {
  it.each<[string, Partial<PlanInput>]>([
    ['by tags that only look like an owner’s', tagged('team:eks:x')],
    ['by an operator that manages nothing', raw({ Operator: { Managed: false, Principal: 'p' } })],
    ['on a platform that is not told', raw({ PlatformDetails: undefined })],
    ['without secondary interfaces', raw({ SecondaryInterfaces: [] })],
    ['for a volume of one gibibyte', data({ sizeGiB: 1 })],
    ['for a volume that is attached once', data({ attachments: [attachment] })],
    ['for a volume that EC2 shows attached to nothing', data({ attachments: [] })],
  ])('%s', (_, change) => expect([...problems(change).keys()]).toEqual([]));
});

describe('what EC2 does not say never speaks against a placement', () => {
  it.each<[string, Partial<PlanInput>]>([
    ['architectures', type({ architectures: [] })],
    ['virtualization types', type({ virtualizationTypes: [] })],
    [
      'the virtualization of the disks',
      type({ virtualizationTypes: ['paravirtual'] }, { VirtualizationType: undefined }),
    ],
    ['boot modes', type({ bootModes: [] })],
    ['the boot mode of the disks', type({ bootModes: ['uefi'] }, { BootMode: undefined })],
    ['root devices', type({ rootDeviceTypes: [] })],
    ['how it is sold', type({ usageClasses: [] })],
    ['how many volumes it takes', type({ maxAttachments: null })],
  ])('%s', (_, change) => expect([...problems(change).keys()]).toEqual([]));
  it.each<[string, Partial<PlanInput>]>([
    ['disks that boot either way', type({ bootModes: ['legacy-bios'] }, { BootMode: 'uefi-preferred' })],
    ['no TPM where none is used', type({ nitroTpmSupport: 'unsupported' })],
    ['a TPM where one is used', type({ nitroTpmSupport: 'supported' }, { TpmSupport: 'v2.0' })],
    ['no ENA where none is needed', type({ enaSupport: 'supported' }, { EnaSupport: false })],
  ])('nor does %s', (_, change) => expect([...problems(change).keys()]).toEqual([]));
  it('a misfit says what the type has and what the disks want', () => {
    expect(problems(type({ virtualizationTypes: ['paravirtual'] })).get('PlacementVirtualization')).toBe(
      'm7i.large takes paravirtual, not hvm',
    );
    expect(problems(type({ bootModes: ['uefi', 'x'] })).get('PlacementBootMode')).toBe(
      'm7i.large boots by uefi, x; the disks boot by legacy-bios',
    );
    expect(problems(type({ maxAttachments: 1 })).get('PlacementTooManyVolumes')).toBe(
      'm7i.large takes 0 volumes; there are 2',
    );
    expect(problems(type({ maxAttachments: 0 })).get('PlacementTooManyVolumes')).toBe(
      'm7i.large takes 0 volumes; there are 2',
    );
  });
  it('a misfit of several placements is said once', () => {
    const twice = { recover: { placements: [{ subnetId: 'subnet-a' }, { subnetId: 'subnet-b' }] } };
    const result = makePlan(planInputFixture(type({ architectures: ['arm64'] })), policyWith(twice));
    expect(readinessProblemsOf(result).map((one) => one.code)).toEqual(['PlacementArchitecture', 'NoPlacement']);
  });
});

describe('placements', () => {
  const subnets = planInputFixture().subnets;
  it('without a zone are not known', () =>
    expect(problems({ subnets: subnets.map((one) => ({ ...one, az: '' })) }).get('PlacementSubnetUnknown')).toContain(
      'subnet-a',
    ));
  it('are in any VPC where EC2 does not show that of the instance', () => {
    const others = subnets.filter((one) => one.subnetId !== 'subnet-a').map((one) => ({ ...one, vpcId: 'vpc-x' }));
    expect([...problems({ subnets: others }, { recover: { placements: [{ subnetId: 'subnet-b' }] } }).keys()]).toEqual(
      [],
    );
  });
  it('are none where the instance shows no subnet', () => {
    const [own] = instanceFixture().networkInterfaces;
    if (!own) throw new Error('fixture without an interface');
    const instance = instanceFixture({ subnetId: null, networkInterfaces: [{ ...own, subnetId: null as never }] });
    expect([...problems({ instance }).keys()]).toEqual(['NoPlacement']);
    expect([...problems({ instance }, { recover: { placements: [{ subnetId: 'subnet-b' }] } }).keys()]).toEqual([]);
  });
  it('are told from none outside of a lost zone', () => {
    expect([...problems({}, {}, 'us-east-1a').keys()]).toEqual(['PlacementInLostZone', 'NoPlacementOutsideZone']);
    expect([...problems({}, { recover: { placements: [{ subnetId: 'subnet-b' }] } }, 'us-east-1a').keys()]).toEqual([]);
  });
});

describe('readiness for the loss of a zone', () => {
  const ready = (policy: PolicyChange, ownAz: string | null) =>
    readinessProblemsOf(makePlan(planInputFixture(), policyWith(policy)), ownAz).map((one) => one.code);
  const elsewhere = [{ subnetId: 'subnet-a' }, { subnetId: 'subnet-b' }];
  it('is asked for where the policy acts on it: a placement outside', () => {
    expect(ready({ guard: { whenZoneLost: 'recover' } }, 'us-east-1a')).toEqual(['NoPlacementOutsideZone']);
    expect(ready({ guard: { whenZoneLost: 'recover' }, recover: { placements: elsewhere } }, 'us-east-1a')).toEqual([]);
  });
  it('is not asked for otherwise, nor where the zone is not known', () => {
    expect(ready({}, 'us-east-1a')).toEqual([]);
    expect(ready({ guard: { whenZoneLost: 'recover' } }, null)).toEqual([]);
  });
});

describe('user data that formats', () => {
  const formatting = (count: number) =>
    Array.from({ length: count }, (_, index) => ({ where: `part ${index}`, what: 'mkfs', canBeOverridden: true }));
  const text = (count: number, policy: PolicyChange = {}, neutralised: string | null = null) =>
    problems({ firstBoot: { formatting: formatting(count), unexamined: [], neutralised } }, policy).get(
      'FirstBootFormats',
    );
  it('is named five times, and the others counted', () => {
    expect(text(5)).toContain('(part 0: mkfs; part 1: mkfs; part 2: mkfs; part 3: mkfs; part 4: mkfs).');
    expect(text(7)).toContain('part 4: mkfs and 2 more).');
  });
  it('that cannot be taken back is said to be so where that was asked for', () => {
    expect(text(1, { recover: { firstBootFormatting: 'neutralise' } })).toContain('It cannot be taken back');
    expect(text(1, {}, 'x')).not.toContain('It cannot be taken back');
  });
  it('is no loss where there is none', () => {
    const codes = planFixture({}, policyWith({ recover: { firstBootFormatting: 'allow' } })).losses.map(
      (one) => one.code,
    );
    for (const code of ['FirstBootMayFormat', 'FirstBootNeutralised', 'FirstBootNotExamined'])
      expect(codes).not.toContain(code);
    expect(planFixture({ userData: null }).losses.map((one) => one.code)).not.toContain('FirstBootRunsAgain');
  });
  it('that is neutralised is not called allowed', () => {
    const firstBoot = { formatting: formatting(1), unexamined: [], neutralised: 'x' };
    const codes = planFixture({ firstBoot }, policyWith({ recover: { firstBootFormatting: 'neutralise' } })).losses.map(
      (one) => one.code,
    );
    expect(codes).toContain('FirstBootNeutralised');
    expect(codes).not.toContain('FirstBootMayFormat');
    const allowed = planFixture({ firstBoot }, policyWith({ recover: { firstBootFormatting: 'allow' } })).losses.map(
      (one) => one.code,
    );
    expect(allowed).not.toContain('FirstBootNeutralised');
  });
});

it('an interface that EC2 does not describe has the source/destination check on, and no tags', () => {
  const plan = planFixture({ networkInterfaces: [] });
  expect([plan.sourceDestCheck, plan.networkInterfaceTags]).toEqual([true, {}]);
});
