import { FAULT_KINDS, STAGES, type FaultKind, type Stage } from './fault.ts';
import type { FaultOutcome } from './injector.ts';

/** How often each fault really happened at each stage of a recovery. */
export class Coverage {
  readonly #counts = new Map<string, number>();

  note(outcome: FaultOutcome): void {
    if (outcome.result !== 'happened') return;
    for (const stage of outcome.stages) this.#add(`${outcome.fault.kind} ${stage}`, 1);
  }

  #add(cell: string, count: number): void {
    this.#counts.set(cell, (this.#counts.get(cell) ?? 0) + count);
  }

  of(kind: FaultKind, stage: Stage): number {
    return this.#counts.get(`${kind} ${stage}`) ?? 0;
  }

  /** `kind stage` → times. */
  cells(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#counts);
  }

  mergeCells(cells: Readonly<Record<string, number>>): void {
    for (const [cell, count] of Object.entries(cells)) this.#add(cell, count);
  }

  /** Pairs that never happened. */
  empty(): readonly { readonly kind: FaultKind; readonly stage: Stage }[] {
    return FAULT_KINDS.flatMap((kind) =>
      STAGES.filter((stage) => this.of(kind, stage) === 0).map((stage) => ({ kind, stage })),
    );
  }

  /** Fault × stage, as text. */
  table(): string {
    const width = Math.max(...FAULT_KINDS.map((kind) => kind.length));
    const head = `${' '.repeat(width)} ${STAGES.map((stage) => stage.padStart(8)).join(' ')}`;
    const rows = FAULT_KINDS.map(
      (kind) =>
        `${kind.padEnd(width)} ${STAGES.map((stage) => String(this.of(kind, stage) || '·').padStart(8)).join(' ')}`,
    );
    return [head, ...rows].join('\n');
  }
}
