import { saidBy, saying } from '../guest-words.ts';
import type { Answer, Bench, Question } from '../question.ts';

/** A guest that answers nothing any more: the kernel halts and does not start again. */
export const HUNG_USER_DATA = `#!/bin/sh
${saying('halting')}
echo 0 > /proc/sys/kernel/panic
sync
echo c > /proc/sysrq-trigger
`;
/** Until EC2 shows the console. */
const CONSOLE_MS = 10 * 60_000;
/** Until a guest has run its user data. */
const BOOT_MS = 90_000;
const LOOK_MS = 500;
/** `fenceTimeoutMs` of a policy that says nothing of it. */
const FENCE_TIMEOUT_MS = 600_000;

async function stopTimeMs(bench: Bench, userData: string | null) {
  const { cloud, clock, things } = bench;
  const { instanceId } = await things.running(userData === null ? {} : { userData });
  await clock.sleep(BOOT_MS);
  await cloud.stopInstance(instanceId, { force: true, skipOsShutdown: true });
  return { instanceId, tookMs: Math.round(await things.until(instanceId, 'stopped', LOOK_MS)) };
}

async function ask(bench: Bench): Promise<Answer> {
  const { tookMs: healthyMs } = await stopTimeMs(bench, null);
  const { instanceId, tookMs: hungMs } = await stopTimeMs(bench, HUNG_USER_DATA);
  const figures = { instanceType: bench.given.instanceType, healthyMs, hungMs };
  const saw = `stopped after ${healthyMs} ms (healthy guest) and ${hungMs} ms (kernel halted)`;
  if (Math.max(healthyMs, hungMs) >= FENCE_TIMEOUT_MS) return { verdict: 'otherwise', saw, figures };
  const halted = (await saidBy(bench, instanceId, /halting/, CONSOLE_MS)) !== null;
  return halted
    ? { verdict: 'as-assumed', saw, figures }
    : { verdict: 'unclear', saw: `${saw}; but its console does not say that it halted`, figures };
}

export const stopTime: Question = {
  id: 'stop-time',
  asks: 'how long does a forced Stop that skips the shutdown take, of a healthy guest and of one that hangs?',
  restsOn: 'fenceTimeoutMs of policies (10 min where none says otherwise): a fence that takes longer is a hold',
  remedy: 'set fenceTimeoutMs of the groups with this instance family well above what was seen',
  needs: [],
  use: { instances: 2, minutes: 12, diskGiB: 16 },
  calls: ['RunInstances', 'StopInstances'],
  ask,
};
