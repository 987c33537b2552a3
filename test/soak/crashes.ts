import { errorText, type MemberView } from '@understudy/shared';
import { isMortal } from './soak-setting.ts';
import { count, isAtRest, isOver, pause, type Stage } from './stage.ts';

/** Longer than a replacement takes when a leader and an etcd member die on the way. */
const REPLACED_LIMIT_MS = 120_000;
const LOOK_EVERY_MS = 250;

/** Of those at rest, the one that failed least often so far. */
function victim(stage: Stage): MemberView | null {
  const { failures, watch, reserved } = stage;
  const down = new Set(failures.open.map((one) => one.member));
  if (down.size >= stage.pace.failuresAtOnce) return null;
  const candidates = (watch.latest?.members ?? []).filter(
    (one) => isMortal(one.member) && isAtRest(one) && !down.has(one.member) && !reserved.has(one.member),
  );
  return candidates.toSorted((a, b) => failures.countOf(a.member) - failures.countOf(b.member))[0] ?? null;
}

/** `false`: refused. A scene is a moment old, and cloud-sim crashes only what runs; then nothing happened. */
async function crash(stage: Stage, instanceId: string): Promise<boolean> {
  try {
    await stage.theatre.admin.crash(instanceId);
    return true;
  } catch (error) {
    stage.say(`  · ${instanceId} was not crashed: ${errorText(error)}`);
    return false;
  }
}

/** Instance after instance loses its power, as fast as they are replaced. */
export async function crashInstances(stage: Stage): Promise<void> {
  const { clock, failures, watch } = stage;
  while (!isOver(stage)) {
    const next = victim(stage);
    if (next === null) {
      await pause(stage, LOOK_EVERY_MS);
      continue;
    }
    const failedAtWallMs = clock.wallMs();
    if (await crash(stage, next.instanceId)) {
      failures.begin(next.member, next.instanceId, failedAtWallMs);
      count(stage, 'instance crashed');
    }
    await pause(stage, stage.pace.crashEveryMs);
  }
  await replaced(stage);
  if (watch.latest) failures.observe(watch.latest);
}

/** After the last crash: every failure has come to its end. */
async function replaced(stage: Stage): Promise<void> {
  const { clock, failures, violations } = stage;
  const startedAtMs = clock.monotonicMs();
  while (failures.open.length > 0 && clock.monotonicMs() - startedAtMs < REPLACED_LIMIT_MS)
    await clock.sleep(LOOK_EVERY_MS, stage.signal);
  for (const { member, oldInstanceId } of failures.open)
    violations.push(`${member}: ${oldInstanceId} was not replaced within ${REPLACED_LIMIT_MS / 1_000} s`);
}
