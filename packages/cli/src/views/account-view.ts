import ansis from 'ansis';
import { type AccountReport, type AskedQuestion, outcomeText, worstOfReport } from '../verify-account/report.ts';
import { PIPE, type Screen, wrapText } from './screen.ts';

const usd = (value: number): string => `${value.toFixed(2)} USD`;

function markOf({ outcome }: AskedQuestion): string {
  if (outcome.kind === 'planned' || outcome.kind === 'skipped' || outcome.kind === 'stopped') return 'not asked ';
  if (outcome.kind === 'failed') return ansis.red('no answer ');
  if (outcome.answer.verdict === 'as-assumed') return ansis.green('as assumed');
  return outcome.answer.verdict === 'unclear' ? ansis.yellow('unclear   ') : ansis.red('OTHERWISE ');
}

function questionText(question: AskedQuestion): string {
  const { id, asks, costUsd, outcome, remedy } = question;
  const wrong = outcome.kind === 'answered' && outcome.answer.verdict === 'otherwise';
  return [
    `${markOf(question)}  ${ansis.bold(id)}  about ${usd(costUsd)}`,
    `            ${asks}`,
    ...(outcome.kind === 'planned' ? [] : [`            ${outcomeText(outcome)}`]),
    ...(wrong ? [`            → ${remedy}`] : []),
  ].join('\n');
}

function headOf(report: AccountReport): string {
  const { region, instanceType, dry, costUsd, leftCount } = report;
  const scene = `${region}, ${instanceType}, about ${usd(costUsd)} (list prices of us-east-1, Linux, disks of 8 GiB)`;
  if (dry) return `DRY  ${scene}; nothing was made: --run asks for real`;
  const word = { ok: ansis.green('OK'), warning: ansis.yellow('UNCLEAR'), fault: ansis.red('FAULT') };
  return `${word[worstOfReport(report)]}  ${scene}; left over: ${leftCount}`;
}

/** What `understudy verify-account` prints. */
export function accountText(report: AccountReport, screen: Screen = PIPE): string {
  const { calls, questions, leftCount, runId } = report;
  const rights = calls.map(({ action, word }) => `  ${action}: ${word}`);
  return wrapText(
    [
      headOf(report),
      '',
      ...questions.map(questionText),
      ...(rights.length > 0 ? ['', 'Rights, by DryRun:', ...rights] : []),
      ...(leftCount > 0 ? ['', `Left over: understudy verify-account --remove ${runId}`] : []),
    ].join('\n'),
    screen,
  );
}
