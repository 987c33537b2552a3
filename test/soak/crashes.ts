import { errorText, type MemberView } from '@understudy/shared';
import { isMortal } from './soak-setting.ts';
import { count, isAtRest, isOver, pause, type FaultContext } from './fault-context.ts';

/** Longer than a replacement takes when a leader and an etcd member die on the way. */
const REPLACED_LIMIT_MS = 120_000;
const LOOK_EVERY_MS = 250;

/** The member at rest that failed least often so far. */
function victim(context: FaultContext): MemberView | null {
  const { failures, poller, reserved } = context;
  const down = new Set(failures.open.map((one) => one.member));
  if (down.size >= context.pace.failuresAtOnce) return null;
  const candidates = (poller.latest?.members ?? []).filter(
    (one) => isMortal(one.member) && isAtRest(one) && !down.has(one.member) && !reserved.has(one.member),
  );
  return candidates.toSorted((a, b) => failures.countOf(a.member) - failures.countOf(b.member))[0] ?? null;
}

/**
 * `false`: refused. A snapshot is a moment old, and cloud-sim crashes only what runs. Then nothing
 * happened.
 */
async function crash(context: FaultContext, instanceId: string): Promise<boolean> {
  try {
    await context.cluster.admin.crash(instanceId);
    return true;
  } catch (error) {
    context.say(`  · ${instanceId} was not crashed: ${errorText(error)}`);
    return false;
  }
}

/** Instance after instance loses its power, as fast as they are replaced. */
export async function crashInstances(context: FaultContext): Promise<void> {
  const { clock, failures, poller } = context;
  while (!isOver(context)) {
    const next = victim(context);
    if (next === null) {
      await pause(context, LOOK_EVERY_MS);
      continue;
    }
    const failedAtWallMs = clock.wallMs();
    if (await crash(context, next.instanceId)) {
      failures.begin(next.member, next.instanceId, failedAtWallMs);
      count(context, 'instance crashed');
    }
    await pause(context, context.pace.crashEveryMs);
  }
  await replaced(context);
  if (poller.latest) failures.observe(poller.latest);
}

/** Waits after the last crash until every failure has come to its end. */
async function replaced(context: FaultContext): Promise<void> {
  const { clock, failures, violations } = context;
  const startedAtMs = clock.monotonicMs();
  while (failures.open.length > 0 && clock.monotonicMs() - startedAtMs < REPLACED_LIMIT_MS)
    await clock.sleep(LOOK_EVERY_MS, context.signal);
  for (const { member, oldInstanceId } of failures.open)
    violations.push(`${member}: ${oldInstanceId} was not replaced within ${REPLACED_LIMIT_MS / 1_000} s`);
}
