import {
  type ClusterSnapshot,
  finishedRecovery,
  openRecovery,
  type RunningProcess,
  type SnapshotPoller,
} from '@understudy/local-cluster';
import type { Clock } from '@understudy/shared';
import { ROLES } from './cast.ts';

/** The part of the demo that an act may use. */
export interface Stage {
  readonly clock: Clock;
  readonly poller: SnapshotPoller;
  readonly signal: AbortSignal;
  say(line: string): void;
  /** Takes the power from the host of an instance. */
  crash(instanceId: string): Promise<void>;
  /** Stops an instance through the EC2 API, as its operator would. */
  stopOnPurpose(instanceId: string): Promise<void>;
  coordinator(coordinatorId: string): RunningProcess;
}

export interface Failure {
  readonly member: string;
  readonly failedAtWallMs: number;
  readonly takeOverMs: number | null;
}

/** Longer than any act takes. It is reached only when something is broken. */
const ACT_LIMIT_MS = 60_000;
/** How long the audience watches that nothing happens. */
const QUIET_MS = 4_000;

function instanceOf(snapshot: ClusterSnapshot | null, member: string): string {
  const found = snapshot?.members.find((each) => each.member === member);
  if (!found) throw new Error(`${member} is not on the stage`);
  return found.instanceId;
}

async function fail(stage: Stage, member: string): Promise<number> {
  const instanceId = instanceOf(stage.poller.latest, member);
  const failedAtWallMs = stage.clock.wallMs();
  await stage.crash(instanceId);
  stage.say(`  ✗ the host under ${instanceId} (${member}) lost its power`);
  return failedAtWallMs;
}

const limits = (stage: Stage) => ({ limitMs: ACT_LIMIT_MS, signal: stage.signal });

/** Act 1: an instance dies, and its disks move to another one. */
export async function actOne(stage: Stage): Promise<Failure> {
  stage.say(`Act 1: ${ROLES.diesFirst} dies. Its disks move to another machine of its zone.`);
  const failedAtWallMs = await fail(stage, ROLES.diesFirst);
  await stage.poller.until(
    `${ROLES.diesFirst} replaced`,
    (snapshot) => finishedRecovery(snapshot, ROLES.diesFirst) !== undefined,
    limits(stage),
  );
  return { member: ROLES.diesFirst, failedAtWallMs, takeOverMs: null };
}

/**
 * The leader is killed once the fence is proven and something is under way that a successor has to
 * pick up.
 */
const inTheMiddle = (snapshot: ClusterSnapshot): boolean =>
  openRecovery(snapshot, ROLES.diesSecond)?.steps.some((each) => each.step === 'capture' && each.state === 'started') ??
  false;

/**
 * Act 2: another one dies and is to come back in another zone, from snapshots. The leader is killed
 * in the middle of the replacement. Its successor finishes it.
 */
export async function actTwo(stage: Stage): Promise<Failure> {
  stage.say(`Act 2: ${ROLES.diesSecond} dies, and the leader with it. It comes back in another zone.`);
  const failedAtWallMs = await fail(stage, ROLES.diesSecond);
  const snapshot = await stage.poller.until(`${ROLES.diesSecond} being captured`, inTheMiddle, limits(stage));
  const leaderId = snapshot.status.leader?.coordinatorId;
  if (leaderId === undefined) throw new Error('a recovery is under way, but nobody is known to lead');
  const killedAtMs = stage.clock.monotonicMs();
  stage.coordinator(leaderId).signal('SIGKILL');
  stage.say(`  ✗ ${leaderId}, the leader, was killed with SIGKILL in the middle of it`);
  const successor = (each: ClusterSnapshot) =>
    each.status.leader !== null && each.status.leader.coordinatorId !== leaderId;
  await stage.poller.until('a successor', successor, limits(stage));
  const takeOverMs = stage.clock.monotonicMs() - killedAtMs;
  await stage.poller.until(
    `${ROLES.diesSecond} replaced`,
    (each) => finishedRecovery(each, ROLES.diesSecond) !== undefined,
    limits(stage),
  );
  return { member: ROLES.diesSecond, failedAtWallMs, takeOverMs };
}

/** Act 3: an operator stops an instance on purpose. Nothing is replaced. */
export async function actThree(stage: Stage): Promise<void> {
  const member = ROLES.stoppedOnPurpose;
  stage.say(`Act 3: an operator stops ${member} on purpose.`);
  await stage.stopOnPurpose(instanceOf(stage.poller.latest, member));
  const left = (snapshot: ClusterSnapshot) =>
    snapshot.members.some((each) => each.member === member && each.verdict === 'left');
  await stage.poller.until(`${member} seen as left`, left, limits(stage));
  await stage.clock.sleep(QUIET_MS, stage.signal);
  stage.say(`  ✓ ${member} is left alone: stopping it was somebody's will`);
}
