import {
  ActivationRecordSchema,
  carriedFields,
  invariant,
  isUndo,
  type KvEntry,
  parseRecord,
} from '@understudy/shared';
import { launchPlan } from '../core/launch-plan.ts';
import { currentAttempt } from '../core/step-table.ts';
import type { Attempt, Call, Frozen, Move, Step } from '../effect.ts';
import { fencedBy } from './fenced-by.ts';
import type { Run } from '../run.ts';
import { NO_CALLS } from '../planned-call.ts';
import { brokenPromise } from './serve-lease-fence.ts';
import { ACTIVATE } from './activate-record.ts';
import { VERIFY } from './attempt-records.ts';
import { StopsAgain } from './stop-again.ts';
import { stepKind } from '../step-kind.ts';

/** The instance the verified attempt launched. */
export function replacementOf(run: Pick<Run, 'journal'>): string {
  const attempt = currentAttempt(run.journal.states());
  const result = run.journal.get(VERIFY, attempt)?.result;
  invariant(result && 'instanceId' in result, `attempt ${attempt} is not verified`);
  return result.instanceId;
}

const LIMIT_MS = 300_000;

/**
 * Names the replacement as the one instance allowed to serve: one transaction against the
 * activation the plan was based on, so one winner, ever. Right before it, the old instance is
 * looked at once more: somebody may have started it since the fence.
 */
export function activateStep(run: Run): Step<typeof ACTIVATE> {
  const stops = new StopsAgain();
  return {
    limitMs: LIMIT_MS,
    prepare: async () => ({ instanceId: replacementOf(run) }),
    next: async (frozen, last) => {
      stops.learn(last);
      const { conflict, sends } = frozen;
      const move = conflict
        ? afterConflict(run, frozen, conflict)
        : ((await oldInstanceActs(run, { last, stops, sent: sends.stop ?? 0 })) ?? (await activate(run, frozen)));
      if (move.kind !== 'done' || !stops.isOpen(sends.stop ?? 0)) return move;
      return { ...move, result: { ...move.result, stopIsOpen: true } };
    },
    onTimeout: () => ({
      kind: 'hold',
      reason: 'FenceNotProven',
      text: `${run.record.oldInstanceId} does not stay stopped`,
    }),
  };
}

/**
 * null: it is (still) unable to act. Not shown any more is what becomes of a terminated instance
 * after an hour, and it was seen fenced.
 */
async function oldInstanceActs(
  run: Run,
  { last, stops, sent }: { readonly last: Attempt | null; readonly stops: StopsAgain; readonly sent: number },
): Promise<Move<typeof ACTIVATE> | null> {
  const { oldInstanceId } = run.record;
  // Fenced by its lease it may well run; what counts is that it does not say it serves.
  if (fencedBy(run) === 'lease') return brokenPromise(run);
  const found = await run.read((cloud, options) =>
    cloud.describeInstances({ 'instance-id': [oldInstanceId] }, options),
  );
  const old = found.find((one) => one.instanceId === oldInstanceId);
  stops.look(old, sent);
  const state = old?.state ?? null;
  if (state === null || state === 'stopped' || state === 'terminated') return null;
  if (state === 'stopping' || state === 'shutting-down') return { kind: 'wait', text: `the old instance is ${state}` };
  // **S** (S28) Started by a call of our own that landed late: it has served nobody since, because
  // the intent was there before that boot (S9), and it is stopped again like all that was fenced.
  if (run.plan.startMayLand === true && last?.error?.code !== 'CLOUD_REJECTED')
    return { kind: 'act', calls: [stopAgain(run)], text: 'stopping it again: a late start of ours has landed' };
  return {
    kind: 'hold',
    reason: 'FenceNotProven',
    text: `${oldInstanceId} was started again after it was fenced (it is ${state}); what it has written since is not in the replacement. Stop it to go on`,
  };
}

const stopAgain = ({ record: { oldInstanceId } }: Run): Call => ({
  name: 'stop',
  run: (cloud, options) => cloud.stopInstance(oldInstanceId, { force: true, skipOsShutdown: false }, options),
});

/**
 * A new instance has had no recovery. **S** (S30) One that serves again has: its next one is not to
 * have the names and tokens of an earlier one.
 */
const ordinalOf = ({ plan }: Run): number => (isUndo(plan) ? plan.undo.ordinal : 0);

const incarnationOf = (run: Run): number => run.record.oldIncarnation + 1;

/**
 * What a newer build wrote into the activation that is replaced, and what the line of the member
 * began with. {}: it is another one meanwhile, and the transaction will say so.
 */
async function carriedOver(run: Run): Promise<Readonly<Record<string, unknown>>> {
  const { member, activationModRevision } = run.record;
  const entry = await run.parts.kv.get(run.parts.keys.activation(member));
  if (entry?.modRevision !== activationModRevision) return {};
  const before = parseRecord(ActivationRecordSchema, entry.key, entry.value);
  const firstImageId = launchPlan(run.plan)?.firstImageId ?? before.firstImageId;
  return { ...carriedFields(ActivationRecordSchema, before), ...(firstImageId !== undefined && { firstImageId }) };
}

async function activate(run: Run, frozen: Frozen<typeof ACTIVATE>): Promise<Move<typeof ACTIVATE>> {
  const { member, opId, activationModRevision } = run.record;
  const { instanceId } = frozen.request;
  const incarnation = incarnationOf(run);
  return {
    kind: 'done',
    result: { instanceId, incarnation },
    alongside: {
      puts: [
        {
          key: run.parts.keys.activation(member),
          expect: activationModRevision,
          record: { ...(await carriedOver(run)), member, incarnation, instanceId, opId, ordinal: ordinalOf(run) },
        },
      ],
    },
  };
}

function afterConflict(
  run: Run,
  frozen: Frozen<typeof ACTIVATE>,
  [entry = null]: readonly (KvEntry | null)[],
): Move<typeof ACTIVATE> {
  const named = entry ? parseRecord(ActivationRecordSchema, entry.key, entry.value) : null;
  if (named && named.opId === run.record.opId && named.instanceId === frozen.request.instanceId) {
    return { kind: 'done', result: { instanceId: named.instanceId, incarnation: named.incarnation } };
  }
  return {
    kind: 'hold',
    reason: 'ClaimAgainstActivation',
    text: named
      ? `the activation names ${named.instanceId} (incarnation ${named.incarnation}) since this recovery began`
      : 'the activation this recovery is based on is gone',
  };
}

export const activateKind = stepKind(ACTIVATE, activateStep, NO_CALLS);
