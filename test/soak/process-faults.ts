import type { RunningProcess } from '@understudy/local-cluster';
import { readProcess } from './proc.ts';
import { PAUSE_MS } from './soak-setting.ts';
import { count, isOver, pause, type FaultContext } from './fault-context.ts';

/** A process that was killed stays away for a moment, like one that systemd restarts. */
const AWAY_MS = 1_500;
const ETCD_AWAY_MS = 5_000;
const STOPPED_LIMIT_MS = 2_000;

/** The last of each is never killed, so that its series is as long as the run. */
const killable = (names: readonly string[]): readonly string[] => names.slice(0, -1);

const leaderOf = (context: FaultContext): string => context.poller.latest?.status.leader?.coordinatorId ?? '';

async function kill(context: FaultContext, name: string, awayMs: number): Promise<boolean> {
  const victim = context.cluster.group.get(name);
  victim.signal('SIGKILL');
  const how = await victim.exited;
  await context.clock.sleep(awayMs, context.signal);
  context.cluster.group.restart(name);
  if (how === 'SIGKILL') return true;
  context.violations.push(`${name} was to be killed and had ended by itself: ${how}`);
  return false;
}

async function killCoordinator(context: FaultContext, wanted: 'leader' | 'follower', round: number): Promise<void> {
  const names = killable(context.cluster.coordinatorIds);
  const leader = leaderOf(context);
  const preferred = names.filter((name) => (name === leader) === (wanted === 'leader'));
  const name = preferred[round % preferred.length] ?? names[round % names.length] ?? '';
  if (await kill(context, name, AWAY_MS)) count(context, 'coordinator killed');
}

async function isStopped(context: FaultContext, one: RunningProcess): Promise<boolean> {
  const startedAtMs = context.clock.monotonicMs();
  while (context.clock.monotonicMs() - startedAtMs < STOPPED_LIMIT_MS) {
    if (readProcess(one.pid)?.state === 'T') return true;
    await context.clock.sleep(20, context.signal);
  }
  return false;
}

/** Stops by SIGSTOP for longer than the lease. It wakes up believing what was true then. */
async function pauseCoordinator(context: FaultContext, name: string): Promise<void> {
  const sleeper = context.cluster.group.get(name);
  sleeper.signal('SIGSTOP');
  try {
    if (await isStopped(context, sleeper)) count(context, 'coordinator paused');
    else context.violations.push(`${name} did not stop on SIGSTOP`);
    await context.clock.sleep(PAUSE_MS, context.signal);
  } finally {
    sleeper.signal('SIGCONT');
  }
}

/**
 * In turn, the leader is killed, the long-lived one paused, a follower killed, and the leader
 * paused.
 */
export async function harmCoordinators(context: FaultContext): Promise<void> {
  const longLived = context.cluster.coordinatorIds.at(-1) ?? '';
  const acts = [
    (round: number) => killCoordinator(context, 'leader', round),
    () => pauseCoordinator(context, longLived),
    (round: number) => killCoordinator(context, 'follower', round + 1),
    () => pauseCoordinator(context, leaderOf(context) || longLived),
  ];
  for (let turn = 0; ; turn += 1) {
    await pause(context, context.pace.coordinatorEveryMs);
    if (isOver(context)) return;
    await acts[turn % acts.length]?.(Math.floor(turn / acts.length));
  }
}

/** One etcd member dies and comes back with what it had on disk. */
export async function harmEtcd(context: FaultContext): Promise<void> {
  const names = killable(['etcd-1', 'etcd-2', 'etcd-3']);
  for (let turn = 0; ; turn += 1) {
    await pause(context, context.pace.etcdEveryMs);
    if (isOver(context)) return;
    if (await kill(context, names[turn % names.length] ?? '', ETCD_AWAY_MS)) count(context, 'etcd member killed');
  }
}
