import { TAG } from '@understudy/shared';
import type { Step } from '../effect.ts';
import { NO_CALLS } from '../planned-call.ts';
import type { Run } from '../run.ts';
import { stepKind } from '../step-kind.ts';
import { WARM_UP } from './warm-up-record.ts';

/** From being asked until it does not matter any more. */
const LIMIT_MS = 60_000;

/**
 * One call, sent once in the life of a preparation, whoever leads: CreateSnapshots has no token,
 * and what comes too late is of no use. **S** (S4) Its mark keeps it from being taken for the
 * capture: what is restored is never older than the fence because of it.
 */
export function warmUpStep(run: Run): Step<typeof WARM_UP> {
  const { opId, oldInstanceId, member } = run.record;
  let snapshotIds: readonly string[] = [];
  return {
    limitMs: LIMIT_MS,
    prepare: async () => ({
      instanceId: oldInstanceId,
      description: `understudy ${member} ${opId}, while suspect`,
      tags: { ...run.policy.recover.tags, [TAG.op]: opId, [TAG.preparedFor]: member },
    }),
    next: async ({ request, sends }) => {
      if (sends.snapshots !== undefined) return { kind: 'done', result: { snapshotIds: [...snapshotIds] } };
      return {
        kind: 'act',
        text: 'asking EC2 for snapshots while the member is suspect',
        calls: [
          {
            name: 'snapshots',
            optional: true,
            run: async (cloud, options) => {
              const made = await cloud.createSnapshots(request, { ...options, urgency: 'chore' });
              snapshotIds = made.map((one) => one.snapshotId);
            },
          },
        ],
      };
    },
    onTimeout: () => ({ kind: 'done', result: { snapshotIds: [...snapshotIds] } }),
  };
}

export const warmUpKind = stepKind(WARM_UP, warmUpStep, NO_CALLS);
