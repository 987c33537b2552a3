import * as z from 'zod';
import { type CloudInstance, isUndo, type OwedChore } from '@understudy/shared';
import { choreText } from '../core/chores.ts';
import { historyOf } from '../core/history.ts';
import { ChoreBook } from '../collector/chore-book.ts';
import { choresToDo, closingFactsOf } from '../closing.ts';
import type { Attempt, Call, Frozen, Move, Step } from '../effect.ts';
import { fencedBy } from './fenced-by.ts';
import { hasEnded } from './predecessor-end.ts';
import { IntentGone } from '../journal.ts';
import { ownRecordsOf } from '../request.ts';
import { isPassing, type Run } from '../run.ts';
import { replacementOf } from './activate.ts';
import { NOTHING_KEPT } from '../step-record.ts';
import { doneCalls, RETIRED_TAGS, retireTags } from './done-calls.ts';
import { closedBooks } from '../undo-books.ts';
import { ServiceLook } from './service-look.ts';
import { stepKind } from '../step-kind.ts';

export const DONE = {
  name: 'done',
  per: 'recovery',
  request: z.strictObject({ instanceId: z.string() }),
  noted: NOTHING_KEPT,
  result: NOTHING_KEPT,
} as const;

const LIMIT_MS = 600_000;

/**
 * Puts in place what a launch cannot carry (protections, tags per volume), marks what the old
 * instance leaves, hears the replacement once more, looks whether its services pass, and closes the
 * recovery in one transaction: history in, intent, journal and hold out. It serves already, so
 * nothing of this keeps it open for long: what could not be done goes into the history as owed, and
 * the collector goes on trying.
 */
export function doneStep(run: Run): Step<typeof DONE> {
  const chores = new ChoreBook(choresToDo(run));
  const marks: Marks = { through: new Set() };
  const strays: Strays = { seenSinceMs: null };
  const services = new ServiceLook(run);
  const startedAtMs = run.nowMs();
  const patient = () => run.nowMs() - startedAtMs < run.settings.choresPatienceMs;
  return {
    limitMs: LIMIT_MS,
    prepare: async () => ({ instanceId: replacementOf(run) }),
    next: async (frozen, last) => {
      chores.note(last);
      noteMarks(run, marks, last);
      if (patient()) {
        const move = await nextChores(run, frozen, chores, marks);
        if (move) return move;
      }
      const owed = chores.owed(run.wallMs());
      return (await strayAddress(run, frozen, strays)) ?? close(run, frozen, { services, startedAtMs, owed });
    },
    onTimeout: (frozen) => ({
      kind: 'hold',
      reason: 'CloudUnavailable',
      text: `${frozen.request.instanceId} serves, but whether an address was left on ${run.record.oldInstanceId} could not be read`,
    }),
  };
}

/**
 * Calls on the old instance itself. The collector does the first one too, and names the second
 * where it is missing when it terminates.
 */
interface Marks {
  readonly through: Set<string>;
}

function noteMarks(run: Run, marks: Marks, last: Attempt | null): void {
  const mayBeGone = hasEnded(run);
  for (const { name, error } of last?.outcomes ?? []) {
    const refused = error?.code === 'CLOUD_REJECTED' || error?.code === 'CLOUD_DENIED';
    if (error === null || refused || (mayBeGone && error.code === 'CLOUD_NOT_FOUND')) marks.through.add(name);
  }
}

/** null: everything is done, or refused for now. */
async function nextChores(
  run: Run,
  frozen: Frozen<typeof DONE>,
  chores: ChoreBook,
  marks: Marks,
): Promise<Move<typeof DONE> | null> {
  const retiring = retire(run).filter((call) => !marks.through.has(call.name));
  if (retiring.length === 0 && !chores.hasWork) return null;
  const replacement = await readReplacement(run, frozen.request.instanceId);
  const [first, ...more] = [...retiring, ...chores.calls(replacement)];
  if (first) return { kind: 'act', text: 'tagging and protecting', calls: [first, ...more] };
  if (!chores.hasWork) return null;
  return { kind: 'wait', text: 'waiting to see what is to be tagged', forMs: run.settings.confirmSpacingMs };
}

/** null: EC2 does not show it, or does not answer; either may pass. */
async function readReplacement(run: Run, instanceId: string): Promise<CloudInstance | null> {
  try {
    const found = await run.read((cloud, options) => cloud.describeInstances({ 'instance-id': [instanceId] }, options));
    return found.find((one) => one.instanceId === instanceId) ?? null;
  } catch (error) {
    if (!isPassing(error)) throw error;
    run.say('done', `EC2 does not show ${instanceId}: ${error.message}`);
    return null;
  }
}

interface Strays {
  /**
   * First of the unbroken run of looks that showed an address on the old instance: one look may be
   * outdated.
   */
  seenSinceMs: number | null;
}

/**
 * An address that came to the old instance after the plan was made (somebody moved it, or EC2
 * showed the plan an older picture) would stay on a machine that is off, and nobody would know. It
 * is no part of the frozen plan, so it is not moved: a person is told. null: there is none.
 */
async function strayAddress(run: Run, frozen: Frozen<typeof DONE>, strays: Strays): Promise<Move<typeof DONE> | null> {
  const { oldInstanceId } = run.record;
  const found = await run.read((cloud, options) =>
    cloud.describeAddresses({ 'instance-id': [oldInstanceId] }, options),
  );
  const known = new Set([
    ...run.plan.addresses.map((one) => `address:${one.allocationId}`),
    ...(run.record.acceptedLosses ?? []),
  ]);
  const [stray] = found.filter((one) => one.instanceId === oldInstanceId && !known.has(`address:${one.allocationId}`));
  if (!stray) {
    strays.seenSinceMs = null;
    return null;
  }
  strays.seenSinceMs ??= run.nowMs();
  const { confirmSpacingMs } = run.settings;
  if (run.nowMs() - strays.seenSinceMs < confirmSpacingMs)
    return {
      kind: 'wait',
      text: `${stray.publicIp} reads as on the old instance: reading once more`,
      forMs: confirmSpacingMs,
    };
  return {
    kind: 'hold',
    reason: 'AddressHeldElsewhere',
    text: `${stray.publicIp} (${stray.allocationId}) is on ${oldInstanceId}, which was replaced; it came there after the plan was made. Move it to ${frozen.request.instanceId}, or release it, or leave it there: understudy accept-loss ${run.record.member} address:${stray.allocationId} --reason TEXT`,
  };
}

/**
 * Termination protection moves to the replacement; one that appears on the retired instance later
 * is an operator's wish to keep it.
 */
function retire(run: Run): Call[] {
  const { oldInstanceId } = run.record;
  const tags = retireTags(run);
  const mark = (name: string, call: Call['run']): Call => ({ name, run: call, optional: true });
  const calls = [mark('retire', (cloud, options) => cloud.createTags([oldInstanceId], tags, options))];
  if (run.plan.protection.termination && fencedBy(run) === 'stopped' && !hasEnded(run)) {
    const off = { termination: false };
    calls.push(mark('unprotect', (cloud, options) => cloud.setProtection(oldInstanceId, off, options)));
  }
  if (isUndo(run.plan)) {
    const { instanceId, volumeIds } = run.plan.undo;
    const ids = [instanceId, ...volumeIds];
    calls.push(mark('unretire', (cloud, options) => cloud.deleteTags(ids, RETIRED_TAGS, options)));
  }
  return calls;
}

/**
 * The replacement is heard and passes; or it has been given its time, and the ordinary watch takes
 * over.
 */
function speaksWell(run: Run, instanceId: string): boolean {
  const reading = run.parts.heartbeats.reading(run.record.member, instanceId);
  if (!reading || reading.passingSinceMs === null) return false;
  return run.nowMs() - reading.lastHeardAtMs < run.policy.detect.suspectAfterMs;
}

interface Closing {
  readonly services: ServiceLook;
  readonly startedAtMs: number;
  readonly owed: readonly OwedChore[];
}

/**
 * Waits, but not for ever: it serves already, and a recovery that stays open would keep the
 * ordinary watch from it.
 */
async function close(
  run: Run,
  frozen: Frozen<typeof DONE>,
  { services, startedAtMs, owed }: Closing,
): Promise<Move<typeof DONE>> {
  const { instanceId } = frozen.request;
  const well = speaksWell(run, instanceId);
  const serviceFault = await services.fault();
  if ((!well || serviceFault !== null) && run.nowMs() - startedAtMs < run.settings.closingPatienceMs) {
    const text = well ? `waiting for its services: ${serviceFault}` : 'waiting to hear the replacement pass';
    return { kind: 'wait', text, forMs: run.settings.pollMinMs };
  }
  if (serviceFault !== null) run.parts.log.warn('recovery.services_not_passing', { serviceFault });
  if (owed.length > 0) run.parts.log.warn('recovery.chores_owed', { chores: owed.map((one) => choreText(one.chore)) });
  const { keys, kv } = run.parts;
  const { member, opId } = run.record;
  const intentKey = keys.intent(member);
  const intent = await kv.get(intentKey);
  if (intent?.modRevision !== run.intent.modRevision) throw new IntentGone('closed by somebody else');
  const own = await ownRecordsOf({ kv, keys, member }, opId);
  return {
    kind: 'close',
    write: {
      puts: [
        {
          key: keys.historyEntry(member, opId),
          expect: 0,
          record: historyOf(closingFactsOf(run, { owed, heardAtTheEnd: well, serviceFaultAtTheEnd: serviceFault })),
        },
        ...(await closedBooks(run, 'undone')),
      ],
      deletes: [{ key: intentKey, expect: run.intent.modRevision }, ...own],
      deletePrefixes: [keys.journalOf(opId)],
    },
  };
}

export const doneKind = stepKind(DONE, doneStep, doneCalls);
