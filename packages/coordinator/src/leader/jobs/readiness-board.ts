import { type Problem, problemOf } from '@understudy/shared';
import type { ReadinessBoard } from '../readiness-board.ts';
import type { LeaderJob } from './leader-job.ts';

const NAMED_MAX = 5;

/** Keeps the board of readiness up to date, and tells whose objectives are missed beforehand. */
export class ReadinessBoardJob implements LeaderJob {
  readonly name = 'readiness';
  readonly everyMs: number;
  readonly #board: ReadinessBoard;

  constructor({ everyMs, board }: { readonly everyMs: number; readonly board: ReadinessBoard }) {
    this.everyMs = everyMs;
    this.#board = board;
  }

  beginTerm(): void {
    this.#board.beginTerm();
  }

  async run(): Promise<void> {
    this.#board.pass();
  }

  remarks(): readonly Problem[] {
    const missing = [...this.#board.all()].filter(({ missed }) => missed.length > 0);
    if (missing.length === 0) return [];
    const named = missing
      .slice(0, NAMED_MAX)
      .map(({ member, missed }) => `${member} (${missed.map(({ text }) => text).join('; ')})`);
    const more = missing.length > named.length ? ` and ${missing.length - named.length} more` : '';
    return [problemOf('OBJECTIVES_MISSED', `${named.join(', ')}${more}`)];
  }
}
