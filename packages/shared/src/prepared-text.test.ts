import { expect, test } from 'vitest';
import { preparedText } from './prepared-text.ts';

const LIMITS = { atOnce: 1, open: 0, perDay: 10, today: 3, keptForMs: 600_000 };

test.each([
  [
    { now: null, makes: ['seed'], limits: LIMITS },
    'for a suspect: seed, kept for 10 min 0 s at most (0 of 1 at once, 3 of 10 in 24 h in the group)',
  ],
  [
    { now: 'made: seed', makes: [], limits: { ...LIMITS, open: 1 } },
    'made: seed; for a suspect: nothing that the policy names is of use to this plan (1 of 1 at once, 3 of 10 in 24 h in the group)',
  ],
  [
    { now: null, makes: ['seed'], limits: { ...LIMITS, spend: { perDay: 5, today: 0.5, next: 0.02 } } },
    'for a suspect: seed, kept for 10 min 0 s at most (0 of 1 at once, 3 of 10 in 24 h in the group, at most 0.5 of 5 spent; this one at most 0.02)',
  ],
  [
    { now: null, makes: [], limits: { ...LIMITS, spend: { perDay: 5, today: 0, next: null } } },
    'for a suspect: nothing that the policy names is of use to this plan (0 of 1 at once, 3 of 10 in 24 h in the group, at most 0 of 5 spent)',
  ],
])('%j reads %s', (view, text) => expect(preparedText(view)).toBe(text));
