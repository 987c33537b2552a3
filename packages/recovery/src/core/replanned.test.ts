import { policyWith } from '@understudy/shared/testing';
import { describe, expect, test } from 'vitest';
import { planFixture } from './plan.fixture.ts';
import { acceptLoss, candidatesOutsideLostZones, type LossFacts, replanned } from './replanned.ts';

const frozen = planFixture();
const fresh = {
  ...frozen,
  addresses: [],
  protection: { stop: !frozen.protection.stop, termination: !frozen.protection.termination },
  volumes: frozen.volumes.filter((one) => one.isRoot),
  image: { ...frozen.image, architecture: 'arm64' as const },
  candidates: [{ subnetId: 'subnet-c', az: 'us-east-1c', instanceType: 'm7i.large' }],
  losses: [{ code: 'HostName', text: 'seen now' }],
};
const untouched = { captured: false, imaged: false };

describe('a plan that is made again', () => {
  test('has the placements and losses of now', () => {
    const next = replanned({ ...frozen, losses: [{ code: 'Old', text: 'seen then' }] }, fresh, untouched);
    expect(next.candidates).toEqual(fresh.candidates);
    expect(next.losses).toEqual(fresh.losses);
  });

  test('keeps addresses and protections as they were before the fence took them off', () => {
    expect(frozen.addresses).not.toEqual([]);
    const next = replanned(frozen, fresh, untouched);
    expect(next.addresses).toEqual(frozen.addresses);
    expect(next.protection).toEqual(frozen.protection);
  });

  test('names the volumes of now, unless some were captured: then those', () => {
    expect(fresh.volumes).not.toEqual(frozen.volumes);
    expect(replanned(frozen, fresh, untouched).volumes).toEqual(fresh.volumes);
    expect(replanned(frozen, fresh, { captured: true, imaged: false }).volumes).toEqual(frozen.volumes);
  });

  test('describes the image that was registered, or the one to be', () => {
    expect(replanned(frozen, fresh, untouched).image).toEqual(fresh.image);
    expect(replanned(frozen, fresh, { captured: false, imaged: true }).image).toEqual(frozen.image);
  });

  test('remembers what an operator gave up', () => {
    const given = { code: 'AcceptedLoss', text: 'given up by an operator: address:eipalloc-1' };
    expect(replanned({ ...frozen, losses: [given] }, fresh, untouched).losses).toEqual([...fresh.losses, given]);
  });
});

describe('a loss that is accepted', () => {
  const plan = {
    ...frozen,
    addresses: [
      { allocationId: 'eipalloc-1', publicIp: '203.0.113.7', associationId: null },
      { allocationId: 'eipalloc-2', publicIp: '203.0.113.8', associationId: null },
    ],
  };
  const facts: LossFacts = { launched: false, captured: false, volumeAttached: false };
  const data = plan.volumes.find((one) => !one.isRoot)?.volumeId ?? '';
  const root = plan.volumes.find((one) => one.isRoot)?.volumeId ?? '';

  test('takes this address out of the plan, and no other', () => {
    const accepted = acceptLoss({ plan }, 'address:eipalloc-1', {
      launched: true,
      captured: true,
      volumeAttached: true,
    });
    if (accepted.kind !== 'plan') throw new Error(accepted.text);
    expect(accepted.plan.addresses.map((one) => one.allocationId)).toEqual(['eipalloc-2']);
    expect(accepted.plan.volumes).toEqual(plan.volumes);
    expect(accepted.plan.losses.at(-1)).toMatchObject({
      code: 'AcceptedLoss',
      text: expect.stringContaining('address:eipalloc-1'),
    });
  });

  test('takes a data volume out that is on the old instance no more', () => {
    const accepted = acceptLoss({ plan }, `volume:${data}`, facts);
    if (accepted.kind !== 'plan') throw new Error(accepted.text);
    expect(accepted.plan.volumes).toEqual(plan.volumes.filter((one) => one.isRoot));
    expect(accepted.plan.addresses).toEqual(plan.addresses);
    expect(accepted.plan.losses).toHaveLength(plan.losses.length + 1);
  });

  test.each<[string, string, Partial<LossFacts>, string]>([
    ['the root volume', root, {}, 'root volume'],
    ['a volume that the plan does not name', 'vol-other', {}, 'no volume of the plan'],
    ['a volume that has been captured', data, { captured: true }, 'has been captured'],
    ['a volume that a replacement was launched with', data, { launched: true }, 'was launched'],
    ['a volume that can still be captured', data, { volumeAttached: true }, 'can be captured'],
  ])('%s is not given up', (_, volumeId, change, text) => {
    expect(acceptLoss({ plan }, `volume:${volumeId}`, { ...facts, ...change })).toEqual({
      kind: 'refused',
      text: expect.stringContaining(text),
    });
  });
});

describe('where a new plan may go when zones are lost', () => {
  const at = (az: string) => ({ subnetId: `subnet-${az}`, az, instanceType: 'm7i.large' });
  const recover = policyWith({ guard: { whenZoneLost: 'recover' } }, frozen.policy);
  const azs = (
    candidates: readonly string[],
    lostZones: readonly string[],
    before: readonly string[],
    policy = recover,
  ) => {
    const zones = { policy, lostZones, oldAz: 'a', before: before.map(at) };
    return candidatesOutsideLostZones(candidates.map(at), zones).map(({ az }) => az);
  };

  test.each([
    ['never where it is lost now', azs(['a', 'b', 'c'], ['b'], ['a', 'b']), ['a', 'c']],
    ['nowhere, if all are lost', azs(['a', 'b'], ['a', 'b'], ['a']), []],
    ['not where the plan before had to leave, if there is another', azs(['a', 'b'], [], ['b', 'c']), ['b']],
    ['but there, if there is no other', azs(['a'], [], ['b', 'c']), ['a']],
    ['and there, if the plan before was there', azs(['a', 'b'], [], ['b', 'a']), ['a', 'b']],
    [
      'anywhere, where the policy holds',
      azs(['a', 'b'], ['a'], ['b'], policyWith({ guard: { whenZoneLost: 'hold' } }, frozen.policy)),
      ['a', 'b'],
    ],
  ])('%s', (_, got, want) => {
    expect(got).toEqual(want);
  });
});
