/**
 * - `fault`: something does not work, or will not when it is needed: a person has to act;
 * - `warning`: it works, and less safely or less well than it could; or it could not be found out;
 * - `note`: it was not looked at, and why; it changes no exit code;
 * - `ok`: looked at, and well.
 */
export type Severity = 'fault' | 'warning' | 'note' | 'ok';

/** One thing that a check found. */
export interface Finding {
  readonly severity: Severity;
  /** What is so, with the figures. */
  readonly text: string;
  /** What a person can do. Null: nothing has to be done. */
  readonly remedy: string | null;
  /** A command that does it, or shows more. Null: there is none. */
  readonly command: string | null;
}

export const ok = (text: string): Finding => ({ severity: 'ok', text, remedy: null, command: null });

export const note = (text: string): Finding => ({ severity: 'note', text, remedy: null, command: null });

export const warning = (text: string, remedy: string, command: string | null = null): Finding => ({
  ...{ severity: 'warning', text, remedy, command },
});

export const fault = (text: string, remedy: string, command: string | null = null): Finding => ({
  ...{ severity: 'fault', text, remedy, command },
});

const RANK: Readonly<Record<Severity, number>> = { fault: 3, warning: 2, note: 1, ok: 0 };

export const worstFirst = (a: { readonly severity: Severity }, b: { readonly severity: Severity }): number =>
  RANK[b.severity] - RANK[a.severity];
