import { SimClock } from '@understudy/shared/testing';
import { expect, it } from 'vitest';
import { doctorText } from '../views/doctor-view.ts';
import { check, runChecks } from './check.ts';
import { fault, ok, warning } from './finding.ts';

const clock = new SimClock();
const well = check(
  'well',
  () => 3,
  (files) => [ok(`${files} files`)],
);
const broken = check(
  'broken',
  () => 0,
  () => [fault('no room', 'make room', 'df -h'), warning('slow', 'wait')],
);

it('puts the worst first, with the check that found it', async () => {
  const report = await runChecks('coordinator', [well, broken], {}, clock);
  expect(report.worst).toBe('fault');
  expect(report.findings.map(({ check: name, severity }) => [name, severity])).toEqual([
    ['broken', 'fault'],
    ['broken', 'warning'],
    ['well', 'ok'],
  ]);
  const text = doctorText(report);
  expect(text).toMatch(/^FAULT {2}coordinator: 1 fault, 1 warning, 1 well/);
  for (const part of ['broken: no room', '→ make room', '$ df -h', 'well: 3 files']) expect(text).toContain(part);
});

it('a check that fails is a warning, and the others are run', async () => {
  const failing = check(
    'failing',
    () => Promise.reject(new Error('no such file')),
    () => [],
  );
  const report = await runChecks('coordinator', [failing, well], {}, clock);
  expect(report.worst).toBe('warning');
  expect(report.findings[0]).toMatchObject({ check: 'failing', text: expect.stringContaining('no such file') });
  expect(report.findings).toHaveLength(2);
});

it('a check that hangs is a warning after its time', async () => {
  const hanging = check(
    'hanging',
    () => new Promise<never>(() => undefined),
    () => [],
  );
  const running = runChecks('coordinator', [hanging], {}, clock);
  await clock.advance(15_000);
  expect((await running).findings[0]?.text).toContain('no result after 15000 ms');
});

it('is well when nothing is found', async () => {
  expect(await runChecks('coordinator', [], {}, clock)).toMatchObject({ worst: 'ok', findings: [] });
});
