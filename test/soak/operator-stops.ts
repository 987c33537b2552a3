import { opIdOf } from '@understudy/shared';
import { isMortal } from './soak-setting.ts';
import { count, isAtRest, isOver, memberIn, pause, type FaultContext } from './fault-context.ts';

/** How long nothing must happen to an instance that an operator stopped. */
const QUIET_MS = 4_000;
const LIMIT_MS = 60_000;
const LOOK_EVERY_MS = 250;

/** An operator stops an instance now and then. It must be left alone, and is started again. */
export async function stopInstances(context: FaultContext): Promise<void> {
  for (;;) {
    await pause(context, context.pace.operatorEveryMs);
    let chosen: { member: string; instanceId: string } | null = null;
    while (!isOver(context) && chosen === null) {
      chosen = choose(context);
      if (chosen === null) await pause(context, LOOK_EVERY_MS);
    }
    if (isOver(context) || chosen === null) return;
    context.reserved.add(chosen.member);
    await stopAndStart(context, chosen.member, chosen.instanceId).finally(() =>
      context.reserved.delete(chosen?.member ?? ''),
    );
  }
}

function choose(context: FaultContext): { member: string; instanceId: string } | null {
  const down = new Set(context.failures.open.map((one) => one.member));
  const found = context.poller.latest?.members.filter(
    (one) => isMortal(one.member) && isAtRest(one) && !down.has(one.member),
  );
  return found?.at(-1) ?? null;
}

async function stopAndStart(context: FaultContext, member: string, instanceId: string): Promise<void> {
  const { cluster, poller, clock, signal, violations } = context;
  const limits = { limitMs: LIMIT_MS, signal };
  await cluster.operator.stop(instanceId);
  try {
    await poller.until(`${member} seen as left`, (snapshot) => memberIn(snapshot, member)?.verdict === 'left', limits);
    await clock.sleep(QUIET_MS, signal);
    count(context, 'instance stopped by its operator');
    const opId = opIdOf(instanceId);
    const { open = [], history = [] } = poller.latest?.recoveries ?? {};
    if ([...open, ...history].some((one) => one.opId === opId))
      violations.push(`${member}: ${instanceId} was stopped by its operator, and a recovery was begun`);
  } catch (error) {
    if (signal.aborted) throw error;
    violations.push(`${member}: ${instanceId} was stopped by its operator: ${String(error)}`);
  }
  await cluster.operator.start(instanceId);
  await poller
    .until(`${member} back`, (snapshot) => memberIn(snapshot, member)?.verdict === 'alive', limits)
    .catch((error) => {
      if (signal.aborted) throw error;
      violations.push(`${member}: ${instanceId} was started again: ${String(error)}`);
    });
}
