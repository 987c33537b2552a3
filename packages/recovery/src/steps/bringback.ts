import { durationText, type CloudInstance, type UndoPlan } from '@understudy/shared';
import { undoPlanOf } from '../core/undo/undo-plan.ts';
import { answersIn, type Attempt, type Call, type Frozen, type Move, type Step } from '../effect.ts';
import { plannedCall } from '../planned-call.ts';
import type { Run } from '../run.ts';
import { stepKind } from '../step-kind.ts';
import { fencedBy } from './fenced-by.ts';
import { BRINGBACK, STANDDOWN } from './undo-records.ts';

/** A start that EC2 took and that shows no effect is asked for again after this long. */
const AGAIN_MS = 15_000;

/**
 * Starts the retired instance, and sees it run. It serves nobody yet: the activation names another
 * one (S9). **S** (S30) Not before that other one was *seen* unable to act, and never without all
 * of its own disks.
 */
export function bringbackStep(run: Run): Step<typeof BRINGBACK> {
  const { undo } = undoPlanOf(run.plan);
  const { instanceId } = undo;
  let answered = 0;
  let taken = false;
  let askedAtMs: number | null = null;
  return {
    limitMs: run.policy.recover.launchTimeoutMs,
    prepare: async () => ({ instanceId, launchedAtWallMs: (await look(run, instanceId))?.launchedAtWallMs ?? null }),
    next: async (frozen, last) => {
      const isOpen = last?.error?.code === 'CLOUD_OUTCOME_UNKNOWN';
      if (last) askedAtMs = run.nowMs();
      answered += answersIn(last);
      if (last && last.error === null) taken = true;
      const refusal = refusalOf(run, last);
      if (refusal !== null) return failed(refusal);
      const instance = await look(run, instanceId);
      const verdict = seen(instance, frozen, undo);
      if (verdict.kind === 'runs') {
        const open = (frozen.sends.start ?? 0) - answered > (taken ? 0 : 1);
        return { kind: 'done', result: { isOpen: open } };
      }
      if (verdict.kind === 'failed') return failed(verdict.text);
      const pauseMs = isOpen ? run.settings.confirmSpacingMs : AGAIN_MS;
      const isDue = askedAtMs === null || run.nowMs() - askedAtMs >= pauseMs || isPassingError(last);
      if (instance?.state === 'stopped' && isDue)
        return { kind: 'act', calls: [startCall(instanceId)], text: `asking EC2 to start ${instanceId} again` };
      return { kind: 'wait', text: `starting ${instanceId} again: ${instance?.state ?? 'not shown by EC2'}` };
    },
    onTimeout: () =>
      failed(`${instanceId} did not run ${durationText(run.policy.recover.launchTimeoutMs)} after it was to`),
  };
}

const failed = (text: string): Move<typeof BRINGBACK> => ({
  ...{ kind: 'failed', failure: 'instance', code: 'NotBroughtBack', text },
});

/** Why it is not (or no longer) to be started; null: it is. */
function refusalOf(run: Run, last: Attempt | null): string | null {
  const how = fencedBy(run);
  if (how !== 'stopped' && how !== 'terminated')
    return `${run.record.oldInstanceId} was not seen stopped, and may still serve`;
  if (run.journal.get(STANDDOWN) !== null) return 'it is being stopped again';
  return isFinal(last) ? `EC2 refuses to start it: ${last?.error?.message ?? ''}` : null;
}

type Seen = { readonly kind: 'runs' | 'waiting' } | { readonly kind: 'failed'; readonly text: string };

function seen(
  instance: CloudInstance | null,
  { request }: Frozen<typeof BRINGBACK>,
  { volumeIds }: UndoPlan['undo'],
): Seen {
  if (instance === null) return { kind: 'waiting' };
  if (instance.state === 'terminated' || instance.state === 'shutting-down')
    return { kind: 'failed', text: `${instance.instanceId} is ${instance.state}` };
  const lacking = volumeIds.filter((id) => !instance.volumes.some((one) => one.volumeId === id));
  if (lacking.length > 0)
    return { kind: 'failed', text: `${lacking.join(', ')} is not attached to ${instance.instanceId} any more` };
  // A later start than the one that was ended, by EC2's own clock: not an older picture of it.
  const isAnew = (instance.launchedAtWallMs ?? 0) > (request.launchedAtWallMs ?? 0);
  return { kind: instance.state === 'running' && isAnew ? 'runs' : 'waiting' };
}

async function look(run: Run, instanceId: string): Promise<CloudInstance | null> {
  const found = await run.read((cloud, options) => cloud.describeInstances({ 'instance-id': [instanceId] }, options));
  return found.find((one) => one.instanceId === instanceId) ?? null;
}

const FINAL: ReadonlySet<string> = new Set(['CLOUD_REJECTED', 'CLOUD_CONFLICT', 'CLOUD_CAPACITY', 'CLOUD_NOT_FOUND']);
const isFinal = (last: Attempt | null): boolean => FINAL.has(last?.error?.code ?? '');

const isPassingError = (last: Attempt | null): boolean =>
  last !== null && last.error !== null && last.error.code !== 'CLOUD_OUTCOME_UNKNOWN';

const startCall = (instanceId: string): Call => ({
  name: 'start',
  run: (cloud, options) => cloud.startInstance(instanceId, options),
});

export const bringbackKind = stepKind(BRINGBACK, bringbackStep, ({ intent: { plan } }) => {
  const { instanceId } = undoPlanOf(plan).undo;
  return [plannedCall('start', (cloud, options) => cloud.startInstance(instanceId, options))];
});
