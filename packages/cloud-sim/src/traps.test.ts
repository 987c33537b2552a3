import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

interface TrapRow {
  readonly trap: string;
  readonly file: string;
  readonly title: string;
}

const page = readFileSync(new URL('../../../docs/cloud-sim.md', import.meta.url), 'utf8');

const rows: readonly TrapRow[] = [
  ...page.matchAll(/^\| ([^|]+) \| [^|]+ \| `([\w./-]+\.test\.ts)`: ([^|]+) \|$/gm),
].map(([, trap = '', file = '', title = '']) => ({ trap, file, title }));

/** Words by which each documented trap of EC2 that is to be modelled is found in the table. */
const WANTED = [
  'buckets are floats',
  'resource buckets',
  'token is zonal',
  'IdempotentParameterMismatch',
  'IdempotentInstanceTerminated',
  'NotFound for a while',
  'describe fails for an impaired zone',
  'a zone fails',
  '200 and then terminated',
  'pending snapshot is IncorrectState',
  'all or nothing',
  'the volume vanishes',
  'snapshot cannot be overridden',
  'primary interface cannot be detached',
  'in use until its interface is deleted',
  'DeleteOnTermination',
  'stuck in stopping',
  'writes after a forced stop',
  'busy detach',
  'initialization-state',
  'AllowReassociation',
  'automatic recovery',
  'DisableApi',
  'capacity is per zone and type',
  'quotas',
  'clock skew',
  'as long as what changed',
];

test.each(WANTED)('the trap "%s" is in the table of docs/cloud-sim.md', (words) => {
  expect(rows.filter(({ trap }) => trap.includes(words)).map(({ trap }) => trap)).toHaveLength(1);
});

test('every trap of the table names a test that exists', () => {
  expect(rows.length).toBeGreaterThanOrEqual(WANTED.length);
  const missing = rows.filter(({ file, title }) => {
    const text = readFileSync(new URL(file, import.meta.url), 'utf8').replaceAll("\\'", "'");
    return !text.includes(`'${title}'`) && !text.includes(`"${title}"`);
  });
  expect(missing).toEqual([]);
});
