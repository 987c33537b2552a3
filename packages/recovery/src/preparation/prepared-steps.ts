import type { PreparedKind } from '@understudy/shared';
import { stepId } from '../core/step-id.ts';
import type { StepRow } from '../core/step-table.ts';
import { LAUNCH, PERMIT } from '../steps/attempt-records.ts';
import { RESERVE } from '../steps/reserve-record.ts';
import { SEED } from '../steps/volume-records.ts';
import { WARM_UP } from '../steps/warm-up-record.ts';

/** The steps of a preparation, under the ids that its recovery goes on with. */
export const preparedSteps = (makes: readonly PreparedKind[]): readonly StepRow[] => [
  ...(makes.includes('snapshot') ? [{ step: WARM_UP, needs: () => [] }] : []),
  ...(makes.includes('capacity') ? [{ step: RESERVE, needs: () => [] }] : []),
  ...(makes.includes('seed')
    ? [
        { step: PERMIT, needs: () => [] },
        { step: LAUNCH, needs: (attempt: number) => [stepId('permit', attempt)] },
        { step: SEED, needs: (attempt: number) => [stepId('launch', attempt)] },
      ]
    : []),
];
