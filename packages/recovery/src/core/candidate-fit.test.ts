import { policyWith } from '@understudy/shared/testing';
import { DEFAULT_POLICY } from '@understudy/shared';
import { describe, expect, it } from 'vitest';
import { planFixture, planInputFixture, typeFactsFixture, typeFixture } from './plan.fixture.ts';
import { makePlan, readinessProblemsOf } from './plan.ts';

/** skypilot 6315, eksctl 8235: the type's architecture is not the image's. */
const ARM = typeFixture({ instanceType: 'm7g.large', architectures: ['arm64'] });
const placements = [
  { subnetId: 'subnet-a', instanceType: 'm7g.large' },
  { subnetId: 'subnet-b', instanceType: 'm6i.large' },
];
const input = planInputFixture({
  typeFacts: typeFactsFixture(typeFixture(), ARM, typeFixture({ instanceType: 'm6i.large' })),
});

describe('a candidate that must fail', () => {
  it('is left out, with its reason in losses and readiness; the next one is the first', () => {
    const result = makePlan(input, policyWith({ recover: { placements } }));
    expect(result.kind === 'plan' && result.plan.candidates).toEqual([
      { subnetId: 'subnet-b', az: 'us-east-1b', instanceType: 'm6i.large' },
    ]);
    expect(readinessProblemsOf(result)).toEqual([
      { code: 'PlacementArchitecture', text: 'm7g.large is arm64; the disks are of x86_64' },
    ]);
  });

  it('blocks when it is the only one, and no more once the policy is corrected', () => {
    const blocked = makePlan(input, policyWith({ recover: { placements: placements.slice(0, 1) } }));
    expect(blocked.kind === 'blocked' && blocked.problems.map((one) => one.code)).toEqual([
      'PlacementArchitecture',
      'NoPlacement',
    ]);
    expect(readinessProblemsOf(makePlan(input, policyWith({ recover: { placements: placements.slice(1) } })))).toEqual(
      [],
    );
  });

  it('is one in a zone where the type is not offered', () => {
    const offeredIn = new Map([['m6i.large', new Set(['us-east-1a'])]]);
    const result = makePlan(
      { ...input, typeFacts: { ...input.typeFacts, offeredIn } },
      policyWith({ recover: { placements } }),
    );
    expect(result.kind === 'blocked' && result.problems.map((one) => one.code)).toContain('PlacementNotOffered');
  });

  it('is none of which EC2 said nothing', () => {
    const typeFacts = { types: new Map(), offeredIn: new Map() };
    const plan = planFixture({ typeFacts }, policyWith({ recover: { placements } }));
    expect(plan.candidates).toHaveLength(2);
  });
});

describe('room for volumes', () => {
  it.each([
    ['shared', 3, 0, true],
    ['shared', 2, 0, false],
    ['shared', 4, 2, false],
    ['dedicated', 2, 2, true],
  ] as const)(
    'of a %s limit of %i with %i instance store disks: %s',
    (attachmentLimit, maxAttachments, instanceStoreDisks, fits) => {
      const type = typeFixture({ attachmentLimit, maxAttachments, instanceStoreDisks });
      const result = makePlan(planInputFixture({ typeFacts: typeFactsFixture(type) }), DEFAULT_POLICY);
      expect(result.kind).toBe(fits ? 'plan' : 'blocked');
    },
  );
});

describe('the primary interface', () => {
  const [own] = planInputFixture().instance.networkInterfaces;
  if (!own) throw new Error('fixture without an interface');
  const cluster = { ...own, networkInterfaceId: 'eni-cluster', networkCardIndex: 1, groupIds: ['sg-cluster'] };

  it.each([
    ['first', [own, cluster]],
    ['last', [cluster, own]],
  ])('is index 0 of card 0, also where EC2 lists it %s; the other follows', (_, networkInterfaces) => {
    const plan = planFixture({ instance: { ...planInputFixture().instance, networkInterfaces } });
    expect(plan.securityGroupIds).toEqual(own.groupIds);
    expect(plan.addresses).toHaveLength(1);
    expect(plan.interfaces).toMatchObject([{ networkInterfaceId: 'eni-cluster', networkCardIndex: 1, deviceIndex: 0 }]);
  });
});

describe('what is only the default', () => {
  it('is not sent back: other types refuse the member', () => {
    const raw = {
      NetworkPerformanceOptions: { BandwidthWeighting: 'default' },
      MaintenanceOptions: { AutoRecovery: 'default' },
    };
    const { instance } = planInputFixture();
    const { launchBase } = planFixture({ instance: { ...instance, raw: { ...instance.raw, ...raw } } });
    expect(launchBase).not.toHaveProperty('NetworkPerformanceOptions');
    expect(launchBase).not.toHaveProperty('MaintenanceOptions');
  });

  it('is sent where somebody chose', () => {
    const raw = {
      NetworkPerformanceOptions: { BandwidthWeighting: 'ebs-1' },
      MaintenanceOptions: { AutoRecovery: 'disabled' },
    };
    const { instance } = planInputFixture();
    const { launchBase } = planFixture({ instance: { ...instance, raw: { ...instance.raw, ...raw } } });
    expect(launchBase).toMatchObject(raw);
  });
});
