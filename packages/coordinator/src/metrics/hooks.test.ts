import type { HookOutcome } from '@understudy/shared';
import { SimClock } from '@understudy/shared/testing';
import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { HookRuns } from './hooks.ts';

const hook = { at: 'after-fence', program: 'drain', timeoutMs: 5_000 } as const;
const message = { id: 'op-1.drain.1', body: '{}', oldInstanceId: 'i-0', newInstanceId: null, begunAtWallMs: 0 };

/** What the metric shows of one run, and what its caller gets. */
async function ran(answer: HookOutcome | Error, { tookMs = 2_000, aborted = false } = {}) {
  const registry = new Registry();
  const clock = new SimClock();
  const runs = new HookRuns(registry).counting(async () => {
    await clock.sleep(tookMs);
    if (answer instanceof Error) throw answer;
    return answer;
  }, clock);
  const signal = aborted ? AbortSignal.abort() : new AbortController().signal;
  const work = runs(hook, message, signal).catch((error: unknown) => error);
  const got = await clock.runUntilSettled(work);
  const values = (await registry.getMetricsAsJSON())[0]?.values ?? [];
  const sum = values.find((one) => 'metricName' in one && one.metricName === 'understudy_hook_seconds_sum');
  return { got, sum };
}

const refused: HookOutcome = { kind: 'refused', text: 'it ended with 3' };

test.each([
  ['passed', { kind: 'passed', text: 'ok' }, {}, 2],
  ['refused', refused, {}, 2],
  ['late', refused, { tookMs: 5_000 }, 5],
  ['left', refused, { aborted: true }, 2],
] as const)(
  'a run that ended as %s is counted with its time, and its end handed on',
  async (outcome, answer, how, seconds) => {
    const { got, sum } = await ran(answer, how);
    expect(got).toEqual(answer);
    expect(sum).toMatchObject({ labels: { at: 'after-fence', outcome }, value: seconds });
  },
);

test('a runner that breaks is counted, and breaks on', async () => {
  const { got, sum } = await ran(new Error('spawn E2BIG'));
  expect(got).toEqual(new Error('spawn E2BIG'));
  expect(sum).toMatchObject({ labels: { outcome: 'broken' } });
});
