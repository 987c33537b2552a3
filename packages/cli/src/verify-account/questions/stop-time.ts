import type { Answer, Bench, Question } from '../question.ts';

/** A guest that answers nothing any more: the kernel halts and does not start again. */
export const HUNG_USER_DATA = '#!/bin/sh\necho 0 > /proc/sys/kernel/panic\nsync\necho c > /proc/sysrq-trigger\n';
/** Until a guest has run its user data. */
const BOOT_MS = 90_000;
const LOOK_MS = 500;
/** `fenceTimeoutMs` of a policy that says nothing of it. */
const FENCE_TIMEOUT_MS = 600_000;

async function stopTimeMs({ cloud, clock, things }: Bench, userData: string | null): Promise<number> {
  const { instanceId } = await things.running(userData === null ? {} : { userData });
  await clock.sleep(BOOT_MS);
  await cloud.stopInstance(instanceId, { force: true, skipOsShutdown: true });
  return things.until(instanceId, 'stopped', LOOK_MS);
}

async function ask(bench: Bench): Promise<Answer> {
  const healthyMs = Math.round(await stopTimeMs(bench, null));
  const hungMs = Math.round(await stopTimeMs(bench, HUNG_USER_DATA));
  const worstMs = Math.max(healthyMs, hungMs);
  const saw = `stopped after ${healthyMs} ms (healthy guest) and ${hungMs} ms (kernel halted)`;
  return {
    verdict: worstMs < FENCE_TIMEOUT_MS ? 'as-assumed' : 'otherwise',
    saw,
    figures: { instanceType: bench.given.instanceType, healthyMs, hungMs },
  };
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
