import {
  type GuardedDelete,
  type GuardedWrite,
  type IntentRecord,
  type OperatorAct,
  unwritten,
} from '@understudy/shared';
import { readHold } from '../hold.ts';
import { IntentGone } from '../journal.ts';
import type { StoredRequest } from '../request.ts';
import type { Run } from '../run.ts';
import type { OpenIntent } from '../runner.ts';

/** What became of a request. */
export type CarriedOut =
  /** It is off the table, carried out or refused; the recovery goes on with this intent. */
  | { readonly kind: 'go-on'; readonly intent: OpenIntent }
  /** Something it relied on has changed meanwhile: look at everything again. */
  | { readonly kind: 'again' }
  /** The recovery is closed. */
  | { readonly kind: 'closed' };

/** Acts kept in an intent; the oldest go first. */
const ACTS_MAX = 50;

export const actOf = (run: Run, { record }: StoredRequest, text: string): OperatorAct => ({
  kind: record.kind,
  by: record.by,
  why: record.why,
  atWallMs: record.atWallMs,
  carriedOutAtWallMs: run.wallMs(),
  text,
});

/**
 * The request goes, and with it our own hold, unless `keepHold`: whatever it held is looked at
 * again, with all tries.
 */
export async function requestGone(
  run: Run,
  request: StoredRequest,
  keepHold = false,
): Promise<readonly GuardedDelete[]> {
  const { kv, keys } = run.parts;
  const { member, opId } = run.record;
  const hold = await readHold({ kv, keys, member }, opId);
  return [
    { key: keys.request(member), expect: request.modRevision },
    ...(hold.own && !keepHold ? [{ key: keys.hold(member), expect: hold.modRevision }] : []),
  ];
}

export interface Rewrite {
  readonly change: Partial<IntentRecord>;
  /** For people: what came of it. */
  readonly text: string;
  readonly keepHold?: boolean;
  readonly deletes?: readonly GuardedDelete[];
  readonly also?: GuardedWrite['also'];
}

/**
 * **S** One transaction: the intent as changed, with who and why; the request out; compared with
 * everything it rests on.
 */
export async function rewriteIntent(run: Run, request: StoredRequest, rewrite: Rewrite): Promise<CarriedOut> {
  const { keys, log } = run.parts;
  const { member } = run.record;
  const acts = [...(run.record.acts ?? []), actOf(run, request, rewrite.text)].slice(-ACTS_MAX);
  const record = { ...unwritten(run.record), ...rewrite.change, acts };
  const outcome = await run.term.commit({
    puts: [{ key: keys.intent(member), record, expect: run.intent.modRevision }],
    deletes: [...(await requestGone(run, request, rewrite.keepHold)), ...(rewrite.deletes ?? [])],
    also: rewrite.also ?? [],
  });
  if (outcome.kind === 'conflict') {
    if ((outcome.entries[0]?.modRevision ?? 0) !== run.intent.modRevision)
      throw new IntentGone('the intent has changed');
    return { kind: 'again' };
  }
  const { kind, by, why } = request.record;
  log.info('recovery.request_done', { request: kind, by, why, text: rewrite.text });
  return {
    kind: 'go-on',
    intent: { record: { ...run.record, ...rewrite.change, acts }, modRevision: outcome.revision },
  };
}

/** It cannot be done as things are: said in the acts, and the recovery goes on as it was. */
export const refuse = (run: Run, request: StoredRequest, why: string): Promise<CarriedOut> => {
  run.parts.log.warn('recovery.request_refused', { request: request.record.kind, why });
  return rewriteIntent(run, request, { change: {}, text: `refused: ${why}`, keepHold: true });
};

/** Every record of the journal as this run knows it, and that these steps have none. */
export function journalCompares(run: Run, absent: readonly string[]): NonNullable<GuardedWrite['also']> {
  const { keys } = run.parts;
  const { opId } = run.record;
  const known = [...run.journal.states().keys()].map((step) => ({
    key: keys.journalStep(opId, step),
    modRevision: run.journal.modRevision(step),
  }));
  const missing = absent.filter((step) => !run.journal.states().has(step));
  return [...known, ...missing.map((step) => ({ key: keys.journalStep(opId, step), modRevision: 0 }))].slice(
    -COMPARES_MAX,
  );
}

/**
 * etcd takes 128 operations in one transaction. The newest steps are last: with so many, ends of
 * attempts that are long over are left out.
 */
const COMPARES_MAX = 100;
