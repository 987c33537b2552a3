import { WAYS_OUT } from '@understudy/shared';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import * as z from 'zod';
import { GRAFANA_QUERIES, grafanaDashboard } from '../../monitoring/grafana-dashboard.ts';
import { promtool } from '../../monitoring/promtool.ts';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');
const MONITORING = join(ROOT, 'deploy', 'monitoring');
const read = (...path: string[]) => readFileSync(join(ROOT, ...path), 'utf8');

const RulesSchema = z.object({
  groups: z.array(
    z.object({
      rules: z.array(
        z.strictObject({
          alert: z.string(),
          expr: z.string(),
          for: z.string().optional(),
          labels: z.strictObject({ severity: z.enum(['critical', 'warning', 'info']) }),
          annotations: z.strictObject({ summary: z.string(), runbook: z.string() }),
        }),
      ),
    }),
  ),
});
const rules = RulesSchema.parse(parse(read('deploy', 'monitoring', 'understudy.rules.yaml'))).groups.flatMap(
  (group) => group.rules,
);

/** The names of the page, which a test beside the metrics holds against the code. */
const known = new Set(read('docs', 'coordinator.md').match(/\bunderstudy_[a-z0-9_]+/g));
const metricsOf = (expr: string) =>
  (expr.match(/\bunderstudy_[a-z0-9_]+/g) ?? []).map((name) => name.replace(/_(bucket|sum|count)$/, ''));

describe('alert rules', () => {
  test('ask for metrics that there are', () => {
    expect(rules.length).toBeGreaterThan(20);
    expect(rules.flatMap(({ expr }) => metricsOf(expr)).filter((name) => !known.has(name))).toEqual([]);
  });

  test('name a section of a page that says what to do, and every section there is of a rule', () => {
    const page = read('docs', 'runbooks', 'alerts.md');
    const sections = [...page.matchAll(/^## (Understudy\w+)$/gm)].map(([, name = '']) => name);
    const own = rules.filter(({ annotations }) => !annotations.runbook.endsWith('holds.md'));
    for (const { alert, annotations } of own)
      expect(annotations.runbook).toBe(`docs/runbooks/alerts.md#${alert.toLowerCase()}`);
    expect(sections.sort()).toEqual(own.map(({ alert }) => alert).sort());
  });

  test('on holds name reasons that there are, and no hold is left out', () => {
    const held = rules.filter(({ expr }) => expr.includes('understudy_holds'));
    const [but = '', only = ''] = held.map(({ expr }) => /reason[!=]~"([^"]+)"/.exec(expr)?.[1] ?? '');
    expect(but).toBe(only);
    expect(but.split('|').filter((reason) => !Object.hasOwn(WAYS_OUT, reason))).toEqual([]);
  });
});

describe('the dashboard for Grafana', () => {
  test('is the one that is kept (npm run monitoring writes it)', async () => {
    const text = `${JSON.stringify(grafanaDashboard(), null, 2)}\n`;
    await expect(text).toMatchFileSnapshot(join(MONITORING, 'grafana-dashboard.json'));
  });

  test('asks for metrics that there are', () => {
    expect(GRAFANA_QUERIES.flatMap(metricsOf).filter((name) => !known.has(name))).toEqual([]);
  });

  test('gives every panel a title, a text, a unit and a place of its own', () => {
    const panels = (grafanaDashboard().panels ?? []).filter((panel) => panel.type !== 'row');
    expect(panels.length).toBeGreaterThan(10);
    for (const panel of panels) {
      expect(panel).toMatchObject({ title: expect.any(String), description: expect.any(String) });
      expect(panel).toHaveProperty('fieldConfig.defaults.unit');
    }
    const places = panels.map((panel) => ('gridPos' in panel ? JSON.stringify(panel.gridPos) : ''));
    expect(new Set(places).size).toBe(panels.length);
  });
});

const isThere = promtool(['--version']) !== null;
if (!isThere) process.stderr.write('promtool is not installed (apt-get install prometheus): rules are not run\n');

describe.skipIf(!isThere)('promtool', () => {
  test('accepts the rules, and finds that they fire when they should', () => {
    const checked = promtool(['check', 'rules', join(MONITORING, 'understudy.rules.yaml')]);
    expect(checked, checked?.output).toMatchObject({ exitCode: 0 });
    const files = ['understudy.rules.test.yaml', 'readiness.rules.test.yaml'].map((name) => join(MONITORING, name));
    const tested = promtool(['test', 'rules', ...files]);
    expect(tested, tested?.output).toMatchObject({ exitCode: 0 });
  });

  test('can read every query of the dashboard', () => {
    const asked = GRAFANA_QUERIES.map((expr) => expr.replaceAll('$__rate_interval', '5m').replaceAll('$group', '.*'));
    const groups = [{ name: 'dashboard', rules: asked.map((expr, at) => ({ record: `query:${at}`, expr })) }];
    const file = join(mkdtempSync(join(tmpdir(), 'queries-')), 'queries.yaml');
    writeFileSync(file, JSON.stringify({ groups }));
    const answer = promtool(['check', 'rules', file]);
    expect(answer, answer?.output).toMatchObject({ exitCode: 0 });
  });
});
