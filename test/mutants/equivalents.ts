import type { Equivalent } from './score.ts';

export const EQUIVALENTS: readonly Equivalent[] = [];
