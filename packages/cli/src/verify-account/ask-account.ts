import { type Clock, type Cloud, isOperationError, type Random } from '@understudy/shared';
import { costOf } from './cost.ts';
import type { Given } from './given.ts';
import type { Bench, Question } from './question.ts';
import { refusalOf } from './refusal.ts';
import { removeRun } from './removal.ts';
import type { AccountReport, AskedQuestion, Outcome } from './report.ts';
import { Things } from './things.ts';
import { tryOne } from './tried-calls.ts';

export interface AccountRun {
  readonly cloud: Cloud;
  readonly clock: Clock;
  readonly random: Random;
  readonly given: Given;
  readonly region: string;
  readonly questions: readonly Question[];
  readonly instanceHourUsd: number;
  readonly runId: string;
  readonly say: (text: string) => void;
}

const missing = ({ needs }: Question, given: Given) => needs.filter((need) => given[need] === null);

/** What all questions that can be asked cost, at most. */
export const costOfRun = ({ questions, given, instanceHourUsd }: AccountRun): number =>
  questions
    .filter((one) => missing(one, given).length === 0)
    .reduce((sum, { use }) => sum + costOf(use, instanceHourUsd), 0);

function benchOf({ cloud, clock, random, given, runId }: AccountRun): Bench {
  return { cloud, clock, given, things: new Things({ cloud, clock, random, given, runId }) };
}

const told = (question: Question, run: AccountRun, outcome: Outcome): AskedQuestion => {
  const { id, asks, restsOn, remedy, use } = question;
  return { id, asks, restsOn, remedy, costUsd: costOf(use, run.instanceHourUsd), outcome };
};

function reportOf(
  run: AccountRun,
  rest: Omit<AccountReport, 'runId' | 'region' | 'instanceType' | 'atIso' | 'costUsd'>,
) {
  const { runId, region, clock, given } = run;
  const atIso = new Date(clock.wallMs()).toISOString();
  return { runId, region, instanceType: given.instanceType, atIso, costUsd: costOfRun(run), ...rest };
}

/** Rights and costs. Nothing is made. */
export async function planAccount(run: AccountRun): Promise<AccountReport> {
  const { things } = benchOf(run);
  const asked = run.questions.filter((one) => missing(one, run.given).length === 0);
  const calls = [];
  for (const action of new Set(asked.flatMap((one) => one.calls)))
    calls.push(await tryOne(action, run.cloud, things, run.given));
  const questions = run.questions.map((one) => told(one, run, outcomeOfPlan(one, run.given)));
  return reportOf(run, { dry: true, calls, questions, removed: {}, leftCount: 0 });
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

/**
 * Asks one question after the other, and removes what each has made before the next, also when it
 * fails. What a killed run leaves, `removeRun` finds by its id.
 */
export async function askAccount(run: AccountRun): Promise<AccountReport> {
  const bench = benchOf(run);
  const questions: AskedQuestion[] = [];
  const removed: Record<string, number> = {};
  let leftCount = 0;
  for (const question of run.questions) {
    run.say(`${question.id}: ${question.asks}`);
    try {
      questions.push(told(question, run, await outcomeOf(question, bench)));
    } finally {
      const removal = await removeRun(run.cloud, run.clock, run.runId);
      leftCount = removal.left.length;
      for (const [kind, count] of Object.entries(removal.removed)) removed[kind] = (removed[kind] ?? 0) + count;
    }
  }
  return reportOf(run, { dry: false, calls: [], questions, removed, leftCount });
}
