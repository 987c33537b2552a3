import { AgentConfigSchema } from '@understudy/agent';
import { CloudSimConfigSchema, ScriptSchema } from '@understudy/cloud-sim';
import { CoordinatorConfigSchema } from '@understudy/coordinator';
import { GroupPolicySchema } from '@understudy/shared';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import * as z from 'zod';

const ROOT = join(import.meta.dirname, '..', '..', '..');
const pages = execFileSync('git', ['ls-files', '*.md'], { cwd: ROOT, encoding: 'utf8' }).split('\n').filter(Boolean);

interface Sample {
  readonly place: string;
  readonly value: Readonly<Record<string, unknown>>;
}

const samples: readonly Sample[] = pages.flatMap((page) => {
  const text = readFileSync(join(ROOT, page), 'utf8');
  return [...text.matchAll(/^```yaml\n([\s\S]*?)^```/gm)].map(({ index, 1: body = '' }) => ({
    place: `${page}:${text.slice(0, index).split('\n').length + 1}`,
    value: z.record(z.string(), z.unknown()).parse(parse(body)),
  }));
});

/** The least that a coordinator's configuration needs. A sample may show a part of one. */
const COORDINATOR = {
  ...{ id: 'c1', az: 'us-east-1a', udp: { host: '10.0.1.5' }, etcd: { hosts: ['http://127.0.0.1:2379'] } },
  keys: [{ id: 1, file: '/etc/understudy/master.key' }],
};

/** What a sample is, by a key that only such a file has. */
const KINDS: readonly (readonly [key: string, check: (value: Sample['value']) => unknown])[] = [
  ['coordinators', (value) => AgentConfigSchema.parse(value)],
  ['group', ({ group, policy }) => [z.string().parse(group), GroupPolicySchema.parse(policy)]],
  ['steps', (value) => ScriptSchema.parse(value)],
  ['workDir', (value) => CloudSimConfigSchema.parse(value)],
  ...['id', 'udp', 'http', 'etcd', 'aws', 'keys', 'notify', 'policy', 'hooks', 'events', 'inventory'].map(
    (key) => [key, (value: Sample['value']) => CoordinatorConfigSchema.parse({ ...COORDINATOR, ...value })] as const,
  ),
];

/** Files of others, and of ours whose tests read their own samples. */
const OTHERS = ['scrape_configs', 'route', 'contexts', 'tokens', 'machine'];

test.each(samples.map((one) => [one.place, one] as const))('the sample %s is a file that is taken', (_, { value }) => {
  if (OTHERS.some((key) => key in value)) return;
  const kind = KINDS.find(([key]) => key in value);
  expect(kind, `of what is it a sample? It has ${Object.keys(value).join(', ')}`).toBeDefined();
  kind?.[1](value);
});

test('there are samples of every kind', () => {
  for (const key of ['coordinators', 'group', 'workDir', 'udp', 'notify'])
    expect(
      samples.some(({ value }) => key in value),
      key,
    ).toBe(true);
});
