import { type GroupPolicy, isInPlace } from '@understudy/shared';
import { ownTypeOf } from '../core/fidelity/disks.ts';
import type { Finding } from '../core/finding.ts';
import type { PlanInput } from '../core/plan-input.ts';
import { FENCE } from '../steps/fence-record.ts';
import { MEND, RESTART } from '../steps/in-place-records.ts';
import type { Strategy } from '../strategy.ts';
import { inPlacePlan, MAKES_NOTHING } from './in-place-plan.ts';

/**
 * Stops the instance, sees it stopped, and starts it: EC2 then puts it on another host. **S** The
 * start needs the observed fence (S4): without it a start would say nothing about the boot that
 * follows.
 */
export const stopStart: Strategy = {
  ...MAKES_NOTHING,
  name: 'stop-start',
  plan: (input, policy) => inPlacePlan(input, policy, { strategy: 'stop-start', losses, refusals }),
  fault: (plan) => (isInPlace(plan) ? null : 'it is not complete'),
  steps: () => [
    { step: FENCE, needs: () => [] },
    { step: RESTART, needs: () => ['fence'] },
    { step: MEND, needs: () => ['restart'] },
  ],
};

const hasInstanceStore = (input: PlanInput): boolean => ownTypeOf(input)?.instanceStorage === true;

function losses(input: PlanInput): readonly Finding[] {
  const { instance, addresses } = input;
  const { publicIp } = instance;
  const isElastic = addresses.some((one) => one.publicIp === publicIp);
  return [
    ...(hasInstanceStore(input)
      ? [{ code: 'InstanceStoreLost', text: 'instance store disks come back empty: a stop empties them' }]
      : []),
    ...(publicIp !== null && !isElastic
      ? [{ code: 'PublicIpLost', text: `automatic public address ${publicIp}: a start brings another one` }]
      : []),
    { code: 'MemoryLost', text: 'what was in memory and not yet on disk when the instance was stopped' },
  ];
}

function refusals(input: PlanInput, policy: GroupPolicy): readonly Finding[] {
  const isRootKept = input.instance.raw.RootDeviceType !== 'instance-store';
  return [
    ...(isRootKept
      ? []
      : [{ code: 'InstanceStoreRoot', text: 'its root device is instance store: it cannot be stopped' }]),
    ...(hasInstanceStore(input) && policy.recover.ladder?.instanceStore === 'keep'
      ? [{ code: 'InstanceStoreKept', text: 'a stop would empty its instance store disks, which the policy keeps' }]
      : []),
  ];
}
