import type { RecoveryPlan } from '@understudy/shared';
import type { Call } from '../effect.ts';
import { plannedCall } from '../planned-call.ts';

/** Puts back the stop protection that the fence took off. A refusal keeps nothing waiting. */
export const protectCall = (instanceId: string): Call => ({
  name: 'protect',
  optional: true,
  run: (cloud, options) => cloud.setProtection(instanceId, { stop: true }, options),
});

export const protectCalls = (instanceId: string, { protection }: RecoveryPlan) =>
  protection.stop
    ? [
        plannedCall(
          'protect',
          (cloud, options) => cloud.setProtection(instanceId, { stop: true }, options),
          'the member keeps this instance',
        ),
      ]
    : [];
