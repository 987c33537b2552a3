import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seedInstance } from '@understudy/cloud-sim';
import {
  AuditViewSchema,
  CommandResultSchema,
  DrainsViewSchema,
  PlanViewSchema,
  StatusViewSchema,
} from '@understudy/shared';
import { until } from '@understudy/shared/node';
import { expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { clusterPerTest } from './cluster-per-test.ts';
import { understudy } from './coordinator-cluster.ts';

const now = clusterPerTest();
/** Whoever shows this token is an operator. */
const TOKEN = 'a-token-of-this-test-0123456789abcdef';

/** Tells a coordinator who is an operator. */
function withOperator(path: string, tokenFile: string): void {
  const config = parse(readFileSync(path, 'utf8')) as { http?: object };
  writeFileSync(path, stringify({ ...config, http: { ...config.http, operatorTokenFile: tokenFile } }));
}

const jsonIn = (out: string): unknown => JSON.parse(out.slice(out.indexOf('{'), out.lastIndexOf('}') + 1));

const DONE = ['--yes', '--reason', 'a test', '--json'] as const;

test('what people change by command, on real processes: each is done, seen everywhere, and in the audit log', {
  timeout: 180_000,
}, async () => {
  const { sim } = await now.cluster.startCloud();
  seedInstance(sim, { member: 'prod/db1', userData: 'x' });
  const configs = [await now.cluster.config(0, now.etcd.hosts, 2), await now.cluster.config(1, now.etcd.hosts, 2)];
  const folder = mkdtempSync(join(tmpdir(), 'understudy-commands-'));
  const tokenFile = join(folder, 'token');
  writeFileSync(tokenFile, TOKEN, { mode: 0o600 });
  for (const { path } of configs) withOperator(path, tokenFile);
  now.cluster.followMachines();
  const [first, second] = configs.map(({ path, httpPort }) => now.cluster.start(path, httpPort));
  if (!first || !second) throw new Error('two were started');
  const statusOf = async () => {
    const body = await first.json('/v1/status');
    return body === null ? null : StatusViewSchema.parse(body);
  };
  await until('two are present and one leads, alive', async () => {
    const status = await statusOf();
    return status?.coordinators.length === 2 && status.leader !== null && status.counts.alive === 1;
  });
  const url = ['--url', `${first.httpUrl},${second.httpUrl}`, '--token-file', tokenFile];
  const ask = (...words: readonly string[]) => understudy(...words, ...url);
  const done = async (...words: readonly string[]) => {
    const { code, out } = await ask(...words, ...DONE);
    expect([code, out]).toEqual([0, out]);
    return CommandResultSchema.parse(jsonIn(out));
  };

  expect(await done('pause', 'prod', '--lasting', '1h', '--wait')).toMatchObject({ command: 'pause', repeated: false });
  expect((await ask('status')).out).toContain('paused');
  const unsure = await ask('resume', 'prod');
  expect([unsure.code, unsure.out.includes('add --yes --reason TEXT')]).toEqual([64, true]);
  expect(await done('resume', 'prod')).toMatchObject({ command: 'resume' });

  const file = join(folder, 'groups.yaml');
  writeFileSync(
    file,
    'group: prod\npolicy:\n  detect: { suspectAfterMs: 2500, confirmForMs: 1200 }\n  guard:\n    cooldownMs: 7m\n',
  );
  const shown = (await ask('apply', '-f', file, '--dry-run')).out;
  expect(shown).toContain('+ guard.cooldownMs: "7m"');
  // It names no way back: the default ladder is written out, and shown before anybody agrees.
  expect(shown).toContain('+ recover.ladder.rungs: ["reboot","stop-start","reattach","snapshot-and-replace"]');
  expect(await done('apply', '-f', file)).toMatchObject({ command: 'apply-policies' });
  await until('in force', async () => (await ask('get', 'policy', 'prod')).out.includes('cooldownMs: 7m'));

  const plan = await ask('plan', 'prod/db1', '--json');
  expect(PlanViewSchema.parse(jsonIn(plan.out))).toMatchObject({ verdict: 'alive', wouldBegin: false });
  const heard = await ask('recover', 'prod/db1', '--override', 'MassFailure', ...DONE);
  expect([heard.code, heard.out.includes('is heard by')]).toEqual([1, true]);

  const leader = (await statusOf())?.leader?.coordinatorId ?? '';
  const drains = DrainsViewSchema.parse(jsonIn((await ask('drains', '--json')).out));
  const other = drains.present.find((one) => !one.leader)?.coordinatorId ?? '';
  const few = await ask('drain', other, ...DONE);
  expect([few.code, few.out.includes('1 of at least 2 observers')]).toEqual([1, true]);
  expect(await done('leader', 'transfer', '--to', other)).toMatchObject({ command: 'transfer' });
  await until('the other one leads', async () => (await statusOf())?.leader?.coordinatorId === other);
  expect(leader).not.toBe(other);

  const audit = AuditViewSchema.parse(jsonIn((await ask('audit', '--json')).out));
  expect(audit.entries.map((one) => one.kind)).toEqual(['transfer', 'apply-policies', 'resume', 'pause']);
  expect(new Set(audit.entries.map((one) => one.reason))).toEqual(new Set(['a test']));
});
