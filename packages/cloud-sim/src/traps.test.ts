import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { FAULT_KINDS } from './core/faults.ts';
import { DEEDS } from './deeds/index.ts';

interface TrapRow {
  readonly trap: string;
  readonly file: string;
  readonly title: string;
  readonly script: string;
}

const page = readFileSync(new URL('../../../docs/cloud-sim.md', import.meta.url), 'utf8');

const rows: readonly TrapRow[] = [
  ...page.matchAll(/^\| ([^|]+) \| [^|]+ \| `([\w./-]+\.test\.ts)`: ([^|]+) \| ([^|]+) \|$/gm),
].map(([, trap = '', file = '', title = '', script = '']) => ({ trap, file, title, script }));

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
  'first reads of a volume',
  'an event is lost',
  'an event is made up',
  'Route 53: an UPSERT overwrites',
  'Route 53: a protected record',
  'Route 53: a zone takes one change',
  'Route 53: a change takes effect when it is INSYNC',
  'Route 53: buckets',
  'Route 53: a refusal may say neither',
  'ELBv2: only a running instance',
  'ELBv2: a deregistration',
  'ELBv2: with none healthy',
  'ELBv2: a target is unhealthy late',
  'ELBv2: a shifted zone',
  'SQS: a short poll',
];

/** Traps that nothing can bring about, because nothing can keep them from being there. */
const ALWAYS_ONLY = ['a volume copy is gp2 unless it is told'];

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

test('every trap names the deeds or faults by which a script schedules it', () => {
  const known = new Set<string>([...DEEDS.map(({ name }) => name), ...FAULT_KINDS]);
  const named = ({ script }: TrapRow) =>
    [...script.replaceAll(/\([^)]*\)/g, '').matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
  expect(rows.flatMap(named).filter((name) => !known.has(name))).toEqual([]);
  expect(rows.filter((row) => named(row).length === 0).map(({ trap }) => trap)).toEqual(ALWAYS_ONLY);
});

test('the page names every deed', () => {
  const [, listed = ''] = /\| Deeds \| \|\n([\s\S]*?)\n\n/.exec(page) ?? [];
  expect(DEEDS.filter(({ name }) => !listed.includes(`\`${name}\``)).map(({ name }) => name)).toEqual([]);
});

test('the page names every route of a deed', () => {
  expect(DEEDS.filter(({ path }) => !page.includes(`/_sim${path}`)).map(({ path }) => path)).toEqual([]);
});
