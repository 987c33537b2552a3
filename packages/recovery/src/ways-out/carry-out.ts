import { unreachable } from '@understudy/shared';
import { readStepId } from '../core/step-id.ts';
import { acceptLoss, lossOf, stepOfLoss } from '../core/replanned.ts';
import type { StoredRequest } from '../request.ts';
import type { Run } from '../run.ts';
import { abandon } from './abandon.ts';
import { isCaptured } from './captured.ts';
import type { DriveStep } from './end-attempt.ts';
import { type CarriedOut, refuse, rewriteIntent } from './outcome.ts';
import { type PolicySource, replan } from './replan.ts';

export interface WaysOutOptions {
  readonly drive: DriveStep;
  readonly policyOf: PolicySource;
}

/**
 * Carries out what an operator has asked of this recovery, before any step of it runs. Whoever
 * leads resumes it where it was left: the request goes only with the transaction that has carried
 * it out, or refuses it.
 * @throws HoldDecided, IntentGone, LEASE_LOST, STORE_*
 */
export function carryOut(run: Run, request: StoredRequest, options: WaysOutOptions): Promise<CarriedOut> {
  const { kind } = request.record;
  run.say(kind, `an operator has asked for it: ${request.record.why}`);
  switch (kind) {
    case 'retry':
      return rewriteIntent(run, request, { change: {}, text: 'tried again at once, with all tries' });
    case 'accept-loss':
      return giveUp(run, request);
    case 'replan':
      return replan(run, request, options);
    case 'abandon':
      return abandon(run, request, options);
    case 'recover':
      return refuse(run, request, 'its recovery is under way already');
    case 'undo':
      return refuse(run, request, 'a recovery is open: only one that has ended can be undone');
    default:
      return unreachable(kind);
  }
}

async function giveUp(run: Run, request: StoredRequest): Promise<CarriedOut> {
  const what = request.record.loss ?? '';
  const states = run.journal.states();
  const { kind, id } = lossOf(what);
  const step = stepOfLoss(what) ?? '';
  if (states.get(step) === 'done') return refuse(run, request, `${id} is on the replacement, or known to be gone`);
  const accepted = acceptLoss(run.record, what, {
    launched: [...states.keys()].some((one) => readStepId(one).name === 'launch'),
    captured: isCaptured(run),
    volumeAttached: kind === 'volume' && (await isAttached(run, id)),
  });
  if (accepted.kind === 'refused') return refuse(run, request, accepted.text);
  const { keys } = run.parts;
  const { opId, acceptedLosses = [] } = run.record;
  return rewriteIntent(run, request, {
    change: { plan: accepted.plan, acceptedLosses: [...new Set([...acceptedLosses, what])] },
    text: `given up: ${what}`,
    deletes: states.has(step) ? [{ key: keys.journalStep(opId, step), expect: run.journal.modRevision(step) }] : [],
    also: [{ key: keys.journalStep(opId, 'capture'), modRevision: run.journal.modRevision('capture') }],
  });
}

/** An older picture errs to the safe side: it is refused, and may be asked for again. */
async function isAttached(run: Run, volumeId: string): Promise<boolean> {
  const { oldInstanceId } = run.record;
  const found = await run.read((cloud, options) =>
    cloud.describeInstances({ 'instance-id': [oldInstanceId] }, options),
  );
  const instance = found.find((one) => one.instanceId === oldInstanceId);
  return instance?.volumes.some((one) => one.volumeId === volumeId) ?? false;
}
