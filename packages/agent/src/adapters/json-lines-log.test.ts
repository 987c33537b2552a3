import type { Log } from '@understudy/shared';
import { PinoLog, SystemClock } from '@understudy/shared/node';
import { SimClock } from '@understudy/shared/testing';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { FileDescriptorSink } from '@understudy/shared/node';
import { JsonLinesLog } from './json-lines-log.ts';

function speak(log: Log): void {
  log.debug('not.heard');
  log.info('agent.config', { config: { member: 'a/b', key: { id: 1, hex: 'ab' } }, token: 't' });
  log.child({ opId: 'op-1' }).warn('check.changed', { check: 'network', detail: 'a "quoted" line\n' });
  log.error('agent.failed', { attempt: 2 });
}

it('writes the same lines as the log of the coordinator', () => {
  const ours: string[] = [];
  const theirs: string[] = [];
  const clock = new SimClock();
  speak(new JsonLinesLog({ level: 'info', clock, sink: { writeLine: (line) => ours.push(line) } }));
  speak(PinoLog.create({ level: 'info', destination: { write: (line) => theirs.push(line) } }));
  const timeless = (lines: readonly string[]) => lines.map((line) => line.replace(/"time":"[^"]+"/, '"time":"…"'));
  expect(ours.length).toBe(3);
  expect(timeless(ours)).toEqual(timeless(theirs));
});

it('a bigint is printed, not thrown at', () => {
  const lines: string[] = [];
  const log = new JsonLinesLog({
    level: 'info',
    clock: new SimClock(),
    sink: { writeLine: (line) => lines.push(line) },
  });
  log.info('x', { epoch: 9_007_199_254_740_993n });
  expect(lines[0]).toContain('"epoch":"9007199254740993"');
});

it('keeps the order, drops what does not fit while the descriptor is busy, and says how much', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'understudy-log-'));
  const fd = openSync(join(folder, 'log'), 'w');
  const sink = new FileDescriptorSink(fd, new SystemClock());
  const line = `${'x'.repeat(1_023)}\n`;
  for (let i = 0; i < 2_000; i++) sink.writeLine(line);
  await sink.flush(5_000);
  const lines = readFileSync(join(folder, 'log'), 'utf8').trim().split('\n');
  const notices = lines.flatMap((text) => /"event":"log.dropped","lines":(\d+)/.exec(text)?.[1] ?? []);
  const dropped = notices.reduce((sum, lost) => sum + Number(lost), 0);
  expect(dropped).toBeGreaterThan(900);
  expect(lines.length - notices.length + dropped).toBe(2_000);
  closeSync(fd);
  rmSync(folder, { recursive: true });
});

it('a descriptor that is closed is no crash', async () => {
  const sink = new FileDescriptorSink(9_999, new SystemClock());
  sink.writeLine('x\n');
  await sink.flush(1_000);
  sink.writeLine('y\n');
  await sink.flush(1_000);
});
