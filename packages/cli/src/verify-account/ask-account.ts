import { type Clock, type Cloud, isOperationError, OperationError, type Random } from '@understudy/shared';
import { costOf } from './cost.ts';
import type { Given } from './given.ts';
import type { Bench, Question } from './question.ts';
import { refusalOf } from './refusal.ts';
import { LAG_MS, LATE_MS, type Removal, removeRun } from './removal.ts';
import type { AccountReport, AskedQuestion, Outcome } from './report.ts';
import { Things } from './things.ts';
import { type CallWord, MAKING, REMOVALS, type TriedCall, tryOne } from './tried-calls.ts';

export interface AccountRun {
  readonly cloud: Cloud;
  readonly clock: Clock;
  readonly random: Random;
  readonly given: Given;
  readonly region: string;
  readonly questions: readonly Question[];
  readonly instanceHourUsd: number;
  readonly runId: string;
  /** Why it is asked. Null: a dry run. */
  readonly reason: string | null;
  readonly say: (text: string) => void;
}

const missing = ({ needs }: Question, given: Given) => needs.filter((need) => given[need] === null);

/** Those for which everything they need was given. */
const askable = (questions: readonly Question[], given: Given) =>
  questions.filter((one) => missing(one, given).length === 0);

/** What all questions that can be asked cost, if nothing takes longer than supposed. */
export const costOfRun = ({ questions, given, instanceHourUsd }: AccountRun): number =>
  askable(questions, given).reduce((sum, { use }) => sum + costOf(use, instanceHourUsd), 0);

function benchOf({ cloud, clock, random, given, runId }: AccountRun): Bench {
  return { cloud, clock, given, things: new Things({ cloud, clock, random, given, runId }) };
}

const told = (question: Question, run: AccountRun, outcome: Outcome): AskedQuestion => {
  const { id, asks, restsOn, remedy, use } = question;
  return { id, asks, restsOn, remedy, costUsd: costOf(use, run.instanceHourUsd), outcome };
};

function reportOf(
  run: AccountRun,
  rest: Omit<AccountReport, 'runId' | 'region' | 'reason' | 'instanceType' | 'atIso' | 'costUsd'>,
) {
  const { runId, region, clock, given, reason } = run;
  const atIso = new Date(clock.wallMs()).toISOString();
  return { runId, region, reason, instanceType: given.instanceType, atIso, costUsd: costOfRun(run), ...rest };
}

/** What makes something, should an endpoint not know `DryRun`, is tried last. */
async function rightsOf(run: AccountRun, actions: Iterable<TriedCall>): Promise<CallWord[]> {
  const { things } = benchOf(run);
  const order = [...new Set(actions)].toSorted((a, b) => MAKING.indexOf(a) - MAKING.indexOf(b));
  const words = [];
  for (const action of order) words.push(await tryOne(action, run.cloud, things, run.given));
  return words;
}

/**
 * Rights and costs. Nothing is made, and what an EC2 without `DryRun` made all the same is removed.
 */
export async function planAccount(run: AccountRun): Promise<AccountReport> {
  const asked = askable(run.questions, run.given);
  const calls = await rightsOf(run, [...REMOVALS, ...asked.flatMap((one) => one.calls)]);
  const mayBeMade = calls.some(({ action, word }) => MAKING.includes(action) && !isWordOfDryRun(word));
  const removal = mayBeMade ? await removeRun(run.cloud, run.clock, run.runId) : { removed: {}, left: [] };
  const questions = run.questions.map((one) => told(one, run, outcomeOfPlan(one, run.given)));
  return reportOf(run, { dry: true, calls, questions, removed: removal.removed, leftCount: removal.left.length });
}

const isWordOfDryRun = (word: string): boolean => word === 'allowed' || word === 'denied';

/** @throws OperationError `CLOUD_DENIED` when what is made could not be removed */
async function assertRemovable(run: AccountRun): Promise<void> {
  const words = await rightsOf(run, REMOVALS);
  const denied = words.filter(({ word }) => word === 'denied').map(({ action }) => action);
  if (denied.length === 0) return;
  throw new OperationError('CLOUD_DENIED', `nothing was made, because it could not be removed: ${denied.join(', ')}`);
}

const outcomeOfPlan = (question: Question, given: Given): Outcome => {
  const needs = missing(question, given);
  return needs.length > 0 ? { kind: 'skipped', needs } : { kind: 'planned' };
};

async function outcomeOf(question: Question, bench: Bench): Promise<Outcome> {
  const needs = missing(question, bench.given);
  if (needs.length > 0) return { kind: 'skipped', needs };
  try {
    return { kind: 'answered', answer: await question.ask(bench) };
  } catch (error) {
    if (!isOperationError(error)) throw error;
    return { kind: 'failed', code: refusalOf(error) };
  }
}

/** What a question has made is gone, or counted, before the next is asked. */
async function askOne(run: AccountRun, question: Question): Promise<{ outcome: Outcome; removal: Removal }> {
  const bench = benchOf(run);
  const remove = () => removeRun(run.cloud, run.clock, run.runId, bench.things.isUncertain ? LATE_MS : LAG_MS);
  let outcome: Outcome;
  try {
    outcome = await outcomeOf(question, bench);
  } catch (error) {
    await remove();
    throw error;
  }
  return { outcome, removal: await remove() };
}

/**
 * Asks one question after the other, and removes what each has made before the next, also when it
 * fails. Once something is left, nothing further is made. What a killed run leaves, `removeRun`
 * finds by its id.
 * @throws OperationError `CLOUD_DENIED` before anything is made, without the rights to remove it
 */
export async function askAccount(run: AccountRun): Promise<AccountReport> {
  await assertRemovable(run);
  const questions: AskedQuestion[] = [];
  const removed: Record<string, number> = {};
  let leftCount = 0;
  for (const question of run.questions) {
    if (leftCount > 0) {
      questions.push(told(question, run, { kind: 'stopped' }));
      continue;
    }
    run.say(`${question.id}: ${question.asks}`);
    const { outcome, removal } = await askOne(run, question);
    questions.push(told(question, run, outcome));
    leftCount = removal.left.length;
    for (const [kind, count] of Object.entries(removal.removed)) removed[kind] = (removed[kind] ?? 0) + count;
  }
  return reportOf(run, { dry: false, calls: [], questions, removed, leftCount });
}
