import type { RunningProcess } from '@understudy/cli/demo';
import { readProcess } from './proc.ts';
import { PAUSE_MS } from './soak-setting.ts';
import { count, isOver, pause, type Stage } from './stage.ts';

/** A process that was killed stays away for a moment, as one that systemd restarts. */
const AWAY_MS = 1_500;
const ETCD_AWAY_MS = 5_000;
const STOPPED_LIMIT_MS = 2_000;

/** The last of each is never killed: its series is as long as the run. */
const killable = (names: readonly string[]): readonly string[] => names.slice(0, -1);

const leaderOf = (stage: Stage): string => stage.watch.latest?.status.leader?.coordinatorId ?? '';

async function kill(stage: Stage, name: string, awayMs: number): Promise<boolean> {
  const victim = stage.theatre.group.get(name);
  victim.signal('SIGKILL');
  const how = await victim.exited;
  await stage.clock.sleep(awayMs, stage.signal);
  stage.theatre.group.restart(name);
  if (how === 'SIGKILL') return true;
  stage.violations.push(`${name} was to be killed and had ended by itself: ${how}`);
  return false;
}

async function killCoordinator(stage: Stage, wanted: 'leader' | 'follower', round: number): Promise<void> {
  const names = killable(stage.theatre.coordinatorIds);
  const leader = leaderOf(stage);
  const preferred = names.filter((name) => (name === leader) === (wanted === 'leader'));
  const name = preferred[round % preferred.length] ?? names[round % names.length] ?? '';
  if (await kill(stage, name, AWAY_MS)) count(stage, 'coordinator killed');
}

async function isStopped(stage: Stage, one: RunningProcess): Promise<boolean> {
  const startedAtMs = stage.clock.monotonicMs();
  while (stage.clock.monotonicMs() - startedAtMs < STOPPED_LIMIT_MS) {
    if (readProcess(one.pid)?.state === 'T') return true;
    await stage.clock.sleep(20, stage.signal);
  }
  return false;
}

/** SIGSTOP for longer than the lease: it wakes up believing what was true then. */
async function pauseCoordinator(stage: Stage, name: string): Promise<void> {
  const sleeper = stage.theatre.group.get(name);
  sleeper.signal('SIGSTOP');
  try {
    if (await isStopped(stage, sleeper)) count(stage, 'coordinator paused');
    else stage.violations.push(`${name} did not stop on SIGSTOP`);
    await stage.clock.sleep(PAUSE_MS, stage.signal);
  } finally {
    sleeper.signal('SIGCONT');
  }
}

/** In turn: the leader is killed, the long-lived one paused, a follower killed, whoever leads paused. */
export async function harmCoordinators(stage: Stage): Promise<void> {
  const longLived = stage.theatre.coordinatorIds.at(-1) ?? '';
  const acts = [
    (round: number) => killCoordinator(stage, 'leader', round),
    () => pauseCoordinator(stage, longLived),
    (round: number) => killCoordinator(stage, 'follower', round + 1),
    () => pauseCoordinator(stage, leaderOf(stage) || longLived),
  ];
  for (let turn = 0; ; turn += 1) {
    await pause(stage, stage.pace.coordinatorEveryMs);
    if (isOver(stage)) return;
    await acts[turn % acts.length]?.(Math.floor(turn / acts.length));
  }
}

/** One etcd member dies and comes back with what it had on disk. */
export async function harmEtcd(stage: Stage): Promise<void> {
  const names = killable(['etcd-1', 'etcd-2', 'etcd-3']);
  for (let turn = 0; ; turn += 1) {
    await pause(stage, stage.pace.etcdEveryMs);
    if (isOver(stage)) return;
    if (await kill(stage, names[turn % names.length] ?? '', ETCD_AWAY_MS)) count(stage, 'etcd member killed');
  }
}
