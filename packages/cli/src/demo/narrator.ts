import { readStepId } from '@understudy/recovery';
import type { ClusterSnapshot } from '@understudy/local-cluster';
import { durationText, type OpenRecoveryView, type RecoveriesView } from '@understudy/shared';
import ansis from 'ansis';
import { tableText, verdictText } from '../views/format.ts';

/** Turns snapshots into words. Pure. */

const STEP_WORDS: Readonly<Record<string, string>> = {
  fence: 'fence: stop the old instance and see it stopped',
  detach: 'detach: take a volume off the old instance',
  capture: 'capture: snapshot every volume',
  image: 'image: register one from the root snapshot',
  permit: 'permit: make the network interface the launch needs',
  launch: 'launch the replacement',
  seed: 'seed: stop the new instance, to give it the volumes',
  assemble: 'assemble: attach the volumes, and start it',
  verify: "verify: hear the replacement's own heartbeats pass",
  revoke: 'revoke the permit of a failed attempt',
  activate: 'activate: the one instance allowed to serve',
  address: 'address: move the Elastic IP',
  done: 'done: tags, protections, retention',
};

/** `address-eipalloc-0ab` → the words for `address`. */
export const stepWords = (step: string): string => STEP_WORDS[readStepId(step).name] ?? step;

type Steps = OpenRecoveryView['steps'];

function stepLines(member: string, before: Steps, now: Steps): string[] {
  const known = new Map(before.map((each) => [each.step, each.state]));
  const lines: string[] = [];
  for (const each of now) {
    if (known.get(each.step) === each.state) continue;
    if (each.state === 'started') continue;
    const tookMs = each.endedAtWallMs === null ? null : each.endedAtWallMs - each.startedAtWallMs;
    const mark = each.state === 'done' ? ansis.green('✓') : ansis.red('✗');
    lines.push(
      `  ${mark} ${member}  ${stepWords(each.step)}${tookMs === null ? '' : ansis.gray(`  ${durationText(tookMs)}`)}`,
    );
  }
  return lines;
}

function recoveryLines(previous: RecoveriesView | null, current: RecoveriesView): string[] {
  const lines: string[] = [];
  const open = new Map((previous?.open ?? []).map((each) => [each.opId, each]));
  const finished = new Set((previous?.history ?? []).map((each) => each.opId));
  for (const each of current.open) {
    const before = open.get(each.opId);
    if (!before) lines.push(`  ${ansis.magenta('→')} ${each.member}  recovery ${each.opId} begins: ${each.reason}`);
    lines.push(...stepLines(each.member, before?.steps ?? [], each.steps));
    if (each.hold && before?.hold?.reason !== each.hold.reason)
      lines.push(`  ${ansis.yellow('!')} ${each.member}  held: ${each.hold.text}`);
  }
  for (const each of current.history) {
    if (finished.has(each.opId)) continue;
    lines.push(...stepLines(each.member, open.get(each.opId)?.steps ?? [], each.steps));
    lines.push(
      `  ${ansis.green('✓')} ${each.member}  ${each.outcome}: ${each.oldInstanceId} → ${each.newInstanceId ?? 'nothing'} in ${durationText(each.endedAtWallMs - each.startedAtWallMs)}`,
    );
  }
  return lines;
}

/** What changed between two snapshots, one line each. */
export function narrate(previous: ClusterSnapshot | null, current: ClusterSnapshot): string[] {
  const lines: string[] = [];
  const leader = current.status.leader?.coordinatorId ?? null;
  if ((previous?.status.leader?.coordinatorId ?? null) !== leader) {
    lines.push(
      leader === null
        ? `  ${ansis.yellow('·')} nobody leads`
        : `  ${ansis.blue('·')} ${leader} leads (term ${current.status.leader?.term})`,
    );
  }
  const verdicts = new Map((previous?.members ?? []).map((each) => [each.member, each.verdict]));
  for (const each of current.members) {
    const before = verdicts.get(each.member);
    if (before !== undefined && before !== each.verdict)
      lines.push(`  ${ansis.blue('·')} ${each.member} is ${verdictText(each.verdict)}: ${each.reason}`);
  }
  return [...lines, ...recoveryLines(previous?.recoveries ?? null, current.recoveries)];
}

const bar = (percent: number): string =>
  `${'█'.repeat(Math.round(percent / 5))}${'░'.repeat(20 - Math.round(percent / 5))} ${Math.round(percent)} %`;

function activityLines(recovery: OpenRecoveryView, nowWallMs: number): string[] {
  const running = recovery.steps
    .filter((each) => each.state === 'started')
    .map((each) => `${each.step} ${durationText(nowWallMs - each.startedAtWallMs)}`);
  const progress = recovery.captureProgressPercent === null ? '' : `  ${bar(recovery.captureProgressPercent)}`;
  return [
    `${ansis.magenta('⟳')} ${recovery.member}: ${recovery.activity ?? 'waiting for a leader'}${progress}`,
    ansis.gray(`    running: ${running.join(', ') || 'nothing'}`),
  ];
}

/** The panel that is redrawn in place on a terminal. */
export function panel(snapshot: ClusterSnapshot): string {
  const leader = snapshot.status.leader?.coordinatorId;
  const coordinators = snapshot.status.coordinators
    .map((each) => (each.coordinatorId === leader ? ansis.bold(`${each.coordinatorId}★`) : each.coordinatorId))
    .join(' ');
  const rows = snapshot.members.map((each) => [
    each.member,
    verdictText(each.verdict),
    each.instanceId,
    each.incarnation === null ? '-' : `#${each.incarnation}`,
    each.az,
    each.recovery ? 'recovering' : (each.hold?.reason ?? ''),
  ]);
  const table = tableText(['member', 'verdict', 'instance', 'inc.', 'zone', ''], rows);
  const activities = snapshot.recoveries.open.flatMap((each) => activityLines(each, snapshot.atWallMs));
  return ['', `coordinators: ${coordinators}   (★ leads)`, table, ...activities].join('\n');
}
