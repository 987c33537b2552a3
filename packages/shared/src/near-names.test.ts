import { expect, test } from 'vitest';
import { nearTo } from './near-names.ts';

const NAMES = ['orders/db-1', 'orders/db-2', 'billing/licence', 'suspectAfterMs', 'confirmForMs', 'status'];

test.each([
  ['orders/db1', ['orders/db-1', 'orders/db-2']],
  ['order/db-1', ['orders/db-1', 'orders/db-2']],
  ['Orders/DB-1', ['orders/db-1', 'orders/db-2']],
  ['licence', ['billing/licence']],
  ['billing/license', ['billing/licence']],
  ['suspectafterms', ['suspectAfterMs']],
  ['suspectAfter', ['suspectAfterMs']],
  ['stauts', ['status']],
  ['nothing-like-it', []],
  ['', []],
  ['x'.repeat(1_000), []],
])('%s may mean %j', (typed, names) => {
  expect(nearTo(typed, NAMES)).toEqual(names);
});
