import type { CloudInstanceType } from '@understudy/shared';
import type { PolicyChange } from '@understudy/shared/testing';
import { instanceFixture, planInputFixture, typeFactsFixture, typeFixture } from '../plan.fixture.ts';
import type { PlanInput } from '../plan-input.ts';

/** An instance that has one attribute, against the ordinary one of the fixture; the lost zone. */
export type Example = readonly [change: Partial<PlanInput>, policy?: PolicyChange, leaveAz?: string];

export const rawChange = (raw: Record<string, unknown>): Partial<PlanInput> => ({ instance: instanceFixture({}, raw) });
export const tagged = (key: string, value = 'x'): Partial<PlanInput> => {
  const instance = instanceFixture();
  return { instance: { ...instance, tags: { ...instance.tags, [key]: value } } };
};
export const eni = (members: Record<string, unknown>): Partial<PlanInput> =>
  rawChange({ NetworkInterfaces: [{ NetworkInterfaceId: 'eni-1', Attachment: { DeviceIndex: 0 }, ...members }] });
export const manyTags = Object.fromEntries(Array.from({ length: 49 }, (_, i) => [`k${i}`, 'v']));
export const withInterfaces = (deviceIndexes: readonly number[]): Partial<PlanInput> => {
  const [first] = instanceFixture().networkInterfaces;
  if (!first) throw new Error('fixture without an interface');
  return {
    instance: instanceFixture({ networkInterfaces: deviceIndexes.map((deviceIndex) => ({ ...first, deviceIndex })) }),
  };
};
export const otherZone = { recover: { placements: [{ subnetId: 'subnet-b' }] } };
export const rawPlacement = (members: Record<string, unknown>) =>
  rawChange({ Placement: { AvailabilityZone: 'us-east-1a', ...members } });

export const ownType = (change: Partial<CloudInstanceType>): Partial<PlanInput> => ({
  typeFacts: typeFactsFixture(typeFixture(change)),
});
export const references = (change: Partial<PlanInput['references']>): Partial<PlanInput> => ({
  references: { ...planInputFixture().references, ...change },
});
export const FORMATS = { where: 'fs_setup', what: '/dev/nvme1n1', canBeOverridden: true };
export const firstBoot = (change: Partial<PlanInput['firstBoot']>): Partial<PlanInput> => ({
  firstBoot: { formatting: [], unexamined: [], neutralised: null, ...change },
});
