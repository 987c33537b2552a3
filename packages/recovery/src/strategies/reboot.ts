import { isInPlace } from '@understudy/shared';
import { MEND, REBOOT } from '../steps/in-place-records.ts';
import type { Strategy } from '../strategy.ts';
import { inPlacePlan, MAKES_NOTHING } from './in-place-plan.ts';

/** Reboots the instance where it is. Nothing moves, and no disk is touched. */
export const reboot: Strategy = {
  ...MAKES_NOTHING,
  name: 'reboot',
  plan: (input, policy) =>
    inPlacePlan(input, policy, {
      strategy: 'reboot',
      losses: () => [],
      refusals: ({ instance }) =>
        instance.state === 'running'
          ? []
          : [{ code: 'NotRunning', text: `it is ${instance.state}: there is nothing to reboot` }],
    }),
  fault: (plan) => (isInPlace(plan) ? null : 'it is not complete'),
  steps: () => [
    { step: REBOOT, needs: () => [] },
    { step: MEND, needs: () => ['reboot'] },
  ],
};
