import ansis from 'ansis';
import { counted, PIPE, type Screen, wrapText } from './screen.ts';
import type { DoctorReport, Found } from '../doctor/check.ts';
import type { Severity } from '../doctor/finding.ts';

const SHOWN: Readonly<Record<Severity, string>> = {
  fault: ansis.red('FAULT  '),
  warning: ansis.yellow('WARNING'),
  note: 'note   ',
  ok: ansis.green('ok     '),
};

function findingText({ severity, check, text, remedy, command }: Found): string {
  return [
    `${SHOWN[severity]}  ${ansis.bold(check)}: ${text}`,
    ...(remedy === null ? [] : [`         → ${remedy}`]),
    ...(command === null ? [] : [`           $ ${command}`]),
  ].join('\n');
}

/**
 * What `understudy doctor` prints: one line with the verdict, then the findings, the worst first.
 */
export function doctorText({ host, findings }: DoctorReport, screen: Screen = PIPE): string {
  const count = (severity: Severity): number => findings.filter((one) => one.severity === severity).length;
  const [faults, warnings] = [count('fault'), count('warning')];
  const verdict = faults > 0 ? ansis.red('FAULT') : warnings > 0 ? ansis.yellow('WARNING') : ansis.green('OK');
  const head = `${verdict}  ${host}: ${counted(faults, 'fault')}, ${counted(warnings, 'warning')}, ${count('ok')} well`;
  return wrapText([head, '', ...findings.map(findingText)].join('\n'), screen);
}
