import type { Answer, Need } from './question.ts';
import type { CallWord } from './tried-calls.ts';

/**
 * - `planned`: a dry run; nothing was asked;
 * - `answered`: see `answer`;
 * - `stopped`: something that was made for an earlier one could not be removed;
 * - `skipped`: something it needs was not given;
 * - `failed`: EC2 refused, or did not do in time, what the question takes for granted.
 */
export type Outcome =
  | { readonly kind: 'planned' }
  | { readonly kind: 'stopped' }
  | { readonly kind: 'answered'; readonly answer: Answer }
  | { readonly kind: 'skipped'; readonly needs: readonly Need[] }
  | { readonly kind: 'failed'; readonly code: string };

export interface AskedQuestion {
  readonly id: string;
  readonly asks: string;
  readonly restsOn: string;
  readonly remedy: string;
  readonly costUsd: number;
  readonly outcome: Outcome;
}

/** What `verify-account` prints, and writes. It has no id, name or message of the account. */
export interface AccountReport {
  readonly runId: string;
  readonly region: string;
  readonly instanceType: string;
  readonly atIso: string;
  /** Why it was asked. Null: a dry run. */
  readonly reason: string | null;
  readonly dry: boolean;
  /** If everything that can be asked is asked, and nothing takes longer than supposed. */
  readonly costUsd: number;
  /** Rights, as far as a dry run tells them. Empty after a run. */
  readonly calls: readonly CallWord[];
  readonly questions: readonly AskedQuestion[];
  /** How many things of each kind were made and removed. */
  readonly removed: Readonly<Record<string, number>>;
  /** Kinds of what is still there, for `--remove`. */
  readonly leftCount: number;
}

export type Worst = 'ok' | 'warning' | 'fault';

const worstOf = ({ outcome }: AskedQuestion): Worst => {
  if (outcome.kind === 'failed') return 'fault';
  if (outcome.kind === 'stopped') return 'warning';
  if (outcome.kind !== 'answered') return 'ok';
  if (outcome.answer.verdict === 'otherwise') return 'fault';
  return outcome.answer.verdict === 'unclear' ? 'warning' : 'ok';
};

/** What the exit code says: like `doctor`'s. */
export function worstOfReport({ calls, questions, leftCount }: AccountReport): Worst {
  const all = questions.map(worstOf);
  if (all.includes('fault') || leftCount > 0 || calls.some(({ word }) => word === 'denied')) return 'fault';
  return all.includes('warning') ? 'warning' : 'ok';
}

/** The one line of an outcome. */
export function outcomeText(outcome: Outcome): string {
  switch (outcome.kind) {
    case 'planned':
      return 'not asked: a dry run';
    case 'stopped':
      return 'not asked: what was made for an earlier question is left';
    case 'skipped':
      return `not asked: it needs ${outcome.needs.join(' and ')}`;
    case 'failed':
      return `not answered: ${outcome.code}`;
    case 'answered':
      return `${outcome.answer.verdict}: ${outcome.answer.saw}`;
  }
}

function questionMarkdown({ id, asks, restsOn, remedy, outcome }: AskedQuestion): string {
  const figures = outcome.kind === 'answered' ? Object.entries(outcome.answer.figures) : [];
  const wrong = outcome.kind === 'answered' && outcome.answer.verdict === 'otherwise';
  return [
    `## ${id}`,
    '',
    `Question: ${asks}`,
    `Rests on it: ${restsOn}.`,
    `Seen: **${outcomeText(outcome)}**.`,
    ...figures.map(([name, value]) => `- ${name}: ${value}`),
    ...(wrong ? [`What to do: ${remedy}.`] : []),
  ].join('\n');
}

/** The report as a file for an issue. */
export function reportMarkdown(report: AccountReport): string {
  const { region, instanceType, atIso, questions, removed, leftCount, reason } = report;
  const made = Object.entries(removed).map(([kind, count]) => `${count} × ${kind}`);
  return [
    '# What this account answered',
    '',
    `Region ${region}, ${instanceType}, ${atIso}, by \`understudy verify-account\`${reason === null ? '' : ` (${reason})`}.`,
    `Made and removed: ${made.join(', ') || 'nothing'}. Left: ${leftCount}.`,
    '',
    ...questions.map((one) => `${questionMarkdown(one)}\n`),
  ].join('\n');
}
