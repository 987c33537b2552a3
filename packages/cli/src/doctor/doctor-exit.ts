import { EXIT } from '../exit-codes.ts';
import type { Severity } from './finding.ts';

/** The exit code of `doctor` is its worst finding. */
export const DOCTOR_EXIT: Readonly<Record<Severity, number>> = {
  ok: EXIT.ok,
  note: EXIT.ok,
  warning: EXIT.underWay,
  fault: EXIT.needsPerson,
};
