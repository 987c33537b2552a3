import {
  type HistoryRecord,
  invariant,
  type Keyspace,
  type KvReads,
  type Term,
  type Unwritten,
  type WallMs,
} from '@understudy/shared';
import { choreText } from './core/chores.ts';
import { hasActivated } from './core/activated.ts';
import { historyOf } from './core/history.ts';
import { owedItemsOf, owedText } from './core/owed.ts';
import { owedNamesOf } from './core/owed-names.ts';
import { keysOf } from './core/step-table.ts';
import { type Closable, choresToDo, closingFactsOf } from './closing.ts';
import { Journal, type JournalEntry } from './journal.ts';
import { ownRecordsOf } from './request.ts';
import { REGISTERED } from './registered.ts';
import { chosenBy, type RecoveryRegistry, stepsOf } from './registry.ts';
import type { OpenIntent } from './runner.ts';
import { ACTIVATE } from './steps/activate-record.ts';
import { closedBooks } from './undo-books.ts';

export interface SupersedeOptions {
  readonly kv: KvReads;
  readonly keys: Keyspace;
  readonly wallMs: () => WallMs;
  /** What recoveries are put together from. Default: all that is registered. */
  readonly registry?: RecoveryRegistry;
}

/**
 * Closes a recovery whose replacement was activated and has failed before its last chores were
 * done, so that the next recovery can begin: history in, with what was not done; intent, journal,
 * hold and request out; one transaction that compares the term, the activation and every record of
 * an address. A run of it that is still under way fails on its next write; a call of its that lands
 * late is conditional, and what it moves is moved on (the next plan names the addresses). `false`:
 * something changed meanwhile, or somebody else has done it. Repeating it is harmless.
 * @throws LEASE_LOST, STORE_*, RECORD_UNREADABLE
 */
export async function supersede(
  options: SupersedeOptions,
  intent: OpenIntent,
  activation: { readonly record: { readonly opId: string | null }; readonly modRevision: number },
  term: Term,
  why: string,
): Promise<boolean> {
  const { kv, keys, wallMs, registry = REGISTERED } = options;
  const { record } = intent;
  const { member, opId, plan } = record;
  invariant(hasActivated(record, activation.record), `${opId} has activated nobody: it is not to be superseded`);
  const chosen = chosenBy(plan, registry);
  // Who does not know the plan cannot say what it leaves behind: it stays open, and is held.
  if ('fault' in chosen) return false;
  const { strategy } = chosen;
  const table = strategy.steps(plan, registry);
  const records = stepsOf(registry).map((kind) => kind.record);
  const journal = new Journal({ kv, keys, intent, term, wallMs, records });
  await journal.load();
  const activated = journal.get(ACTIVATE);
  if (activated?.state !== 'done') return false;
  const run: Closable = { record, plan, policy: plan.policy, journal, term, wallMs, strategy, table, seams: registry };
  const moves = table.filter(({ step }) => step.per === 'item').flatMap((row) => keysOf(row, 0).map(({ id }) => id));
  const outcome = await term.commit({
    puts: [
      { key: keys.historyEntry(member, opId), expect: 0, record: historyRecordOf(run, activated, why) },
      ...(await closedBooks({ parts: { kv, keys }, record, plan }, 'undone')),
    ],
    deletes: [
      { key: keys.intent(member), expect: intent.modRevision },
      ...(await ownRecordsOf({ kv, keys, member }, opId)),
    ],
    deletePrefixes: [keys.journalOf(opId)],
    also: [
      { key: keys.activation(member), modRevision: activation.modRevision },
      ...['activate', ...moves].map((step) => ({
        key: keys.journalStep(opId, step),
        modRevision: journal.modRevision(step),
      })),
    ],
  });
  return outcome.kind === 'committed';
}

/**
 * Over for the guard since its replacement was put in charge: cooldown and flapping count from
 * there.
 */
function historyRecordOf(
  run: Closable,
  activated: JournalEntry<typeof ACTIVATE>,
  why: string,
): Unwritten<HistoryRecord> {
  const { record, journal } = run;
  const sinceWallMs = run.wallMs();
  const obstacle = { code: 'ReplacementFailed', text: why, sinceWallMs };
  const owed = choresToDo(run).map((chore) => ({ chore, obstacle }));
  const history = historyOf(closingFactsOf(run, { owed, heardAtTheEnd: true, serviceFaultAtTheEnd: null }));
  const states = journal.states();
  const through = new Set([...states].filter(([, state]) => state === 'done').map(([step]) => step));
  const items = owedItemsOf(record, through);
  const names = owedNamesOf(record.plan, (step) => through.has(step));
  const undone = [...names.texts, ...owedText(items), ...owed.map((one) => choreText(one.chore))];
  return {
    ...history,
    reason: `${history.reason}; its replacement failed before everything was in place on it (${why}). Handed on: ${undone.join('; ')}`,
    endedAtWallMs: activated.endedAtWallMs ?? sinceWallMs,
    ...items,
    ...names.owed,
  };
}
