import { opIdOf } from '@understudy/shared';
import { isMortal } from './soak-setting.ts';
import { count, isAtRest, isOver, memberIn, pause, type Stage } from './stage.ts';

/** How long nothing must happen to an instance that somebody stopped. */
const QUIET_MS = 4_000;
const LIMIT_MS = 60_000;
const LOOK_EVERY_MS = 250;

/** An operator stops an instance now and then; it must be left alone, and is started again. */
export async function stopInstances(stage: Stage): Promise<void> {
  for (;;) {
    await pause(stage, stage.pace.operatorEveryMs);
    let chosen: { member: string; instanceId: string } | null = null;
    while (!isOver(stage) && chosen === null) {
      chosen = choose(stage);
      if (chosen === null) await pause(stage, LOOK_EVERY_MS);
    }
    if (isOver(stage) || chosen === null) return;
    stage.reserved.add(chosen.member);
    await stopAndStart(stage, chosen.member, chosen.instanceId).finally(() =>
      stage.reserved.delete(chosen?.member ?? ''),
    );
  }
}

function choose(stage: Stage): { member: string; instanceId: string } | null {
  const down = new Set(stage.failures.open.map((one) => one.member));
  const found = stage.watch.latest?.members.filter(
    (one) => isMortal(one.member) && isAtRest(one) && !down.has(one.member),
  );
  return found?.at(-1) ?? null;
}

async function stopAndStart(stage: Stage, member: string, instanceId: string): Promise<void> {
  const { theatre, watch, clock, signal, violations } = stage;
  const limits = { limitMs: LIMIT_MS, signal };
  await theatre.operator.stop(instanceId);
  try {
    await watch.until(`${member} seen as left`, (scene) => memberIn(scene, member)?.verdict === 'left', limits);
    await clock.sleep(QUIET_MS, signal);
    count(stage, 'instance stopped by its operator');
    const opId = opIdOf(instanceId);
    const { open = [], history = [] } = watch.latest?.recoveries ?? {};
    if ([...open, ...history].some((one) => one.opId === opId))
      violations.push(`${member}: ${instanceId} was stopped by its operator, and a recovery was begun`);
  } catch (error) {
    if (signal.aborted) throw error;
    violations.push(`${member}: ${instanceId} was stopped by its operator: ${String(error)}`);
  }
  await theatre.operator.start(instanceId);
  await watch
    .until(`${member} back`, (scene) => memberIn(scene, member)?.verdict === 'alive', limits)
    .catch((error) => {
      if (signal.aborted) throw error;
      violations.push(`${member}: ${instanceId} was started again: ${String(error)}`);
    });
}
