import { GroupPolicySchema } from '@understudy/shared';
import { describe, expect, it } from 'vitest';
import { reattach } from '../../strategies/reattach.ts';
import { snapshotAndReplace } from '../../strategies/snapshot-and-replace.ts';
import { REGISTERED } from '../../registered.ts';
import { instanceFixture, planInputFixture } from '../plan.fixture.ts';
import type { PlanInput } from '../plan-input.ts';

const RHEL = 'Red Hat Enterprise Linux';

const image = (platformDetails: string): PlanInput['image'] => ({
  ...{ imageId: 'ami-1', name: '', platformDetails, state: 'available', rootSnapshotId: null, tags: {} },
  ...{ rootDeviceName: '/dev/xvda', otherDeviceNames: [], architecture: 'x86_64', bootMode: null, enaSupport: true },
  ...{ tpmSupport: null, sriovNetSupport: null, virtualizationType: 'hvm', imdsSupport: null },
});

const input = (platformDetails: string): PlanInput => ({
  ...planInputFixture(),
  instance: instanceFixture({ imageId: 'ami-1' }, { PlatformDetails: RHEL }),
  image: image(platformDetails),
});

const policy = GroupPolicySchema.parse({ recover: { strategy: 'reattach' } });
const codesOf = (strategy: typeof reattach, from: PlanInput): readonly string[] => {
  const result = strategy.plan(from, policy, null, REGISTERED);
  return result.kind === 'blocked' ? result.problems.map((one) => one.code) : [];
};

describe('a licensed platform', () => {
  it('goes along with its own root disk, on a machine launched from an image of the same platform', () =>
    expect(codesOf(reattach, input(RHEL))).not.toContain('PlatformUnsupported'));

  it('is refused where that image is billed as another', () =>
    expect(codesOf(reattach, input('Linux/UNIX'))).toContain('PlatformUnsupported'));

  it('is refused where the image is made from a snapshot, and says what it would need', () =>
    expect(codesOf(snapshotAndReplace, input(RHEL))).toContain('PlatformUnsupported'));
});
