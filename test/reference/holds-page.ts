import { wrapped } from './wrapped.ts';
import { HoldReasonSchema, type HoldReason, WAYS_OUT } from '@understudy/shared';

/** How a hold comes about: it tells where to look first. */
const LOOK: Readonly<Record<HoldReason, readonly string[]>> = {
  Paused: ['`understudy status` shows who paused what, why, and until when.', 'Ask that person before you resume.'],
  MassFailure: [
    'Is it the machines? Try to reach two or three of the members by another way (console, service).',
    'Is it us? `understudy members`: do all observers hear nothing, or only one of them?',
    'What was changed last: a security group, a route, a firewall rule, a deployment?',
  ],
  ZoneFailure: [
    'Look at the AWS Health Dashboard for the zone.',
    'Decide whether the members are needed before the zone is back: a replacement takes minutes, and data that was written there after the last snapshot may be lost.',
  ],
  BudgetExhausted: ['`understudy recoveries`: several were begun at once. Is there one cause behind them?'],
  GroupConcurrency: ['`understudy recoveries`: which one is open, and does it go on?'],
  Cooldown: ['`understudy history MEMBER`: what was it recovered from a short while ago?'],
  Flapping: [
    '`understudy history MEMBER`: the reasons of the last recoveries. The same each time means that the replacement inherits the cause (a full disk, a bad boot, an application that kills its machine).',
  ],
  BootGrace: ['Wait. A machine that never comes up is judged when the time is over.'],
  RecoveringByEc2: [
    '`understudy explain MEMBER`: its status checks and events, and until when EC2 is waited for.',
    'The AWS Health Dashboard says whether EC2 has recovered the host.',
  ],
  Protected: ['Who set the tag, and why? Whoever did wanted a person to decide.'],
  MaintenanceWindow: ['`understudy explain MEMBER` says until when. Is the work still under way?'],
  ObserverUnwell: [
    '`understudy status`: the problem of the coordinator that leads.',
    'CPU steal, memory, clock and network of its host.',
  ],
  NotEnoughObservers: [
    '`understudy status`: which coordinators are missing, and which abstain, with the reason.',
    'At least two in two zones are needed, one of them outside the zone of the member.',
  ],
  NeverHeard: [
    '`understudy doctor` on its instance: does the agent run, with the right key, and do its datagrams arrive?',
    'Its security group has to let UDP out to the coordinators.',
  ],
  ProbeAnswered: ['The machine lives and its agent does not. `systemctl status understudy-agent` on it.'],
  KeyRetired: ['`understudy keys status`: under which key it was heard last.'],
  TwoAgents: ['`understudy explain MEMBER`: from which addresses, under which boot epochs.'],
  TwoInstancesClaimMember: ['`understudy explain MEMBER` names both. Which of them serves clients now?'],
  ClaimAgainstActivation: ['`understudy explain MEMBER` names both. Only the activated one may serve.'],
  RecordUnreadable: [
    '`understudy status` names the key and the fault.',
    'Take a copy of the key before you change it.',
  ],
  NotReady: ['`understudy explain MEMBER` lists what a recovery would fail on.'],
  FenceNotProven: [
    'The instance in the EC2 console: is it `stopping` for long? Stop it by force, or terminate it, if its data allows that.',
    'Never make it serve in the meantime: it may still write.',
  ],
  CaptureFailed: ['`understudy recoveries`: the volume, and what EC2 said.', 'Does the volume still exist?'],
  CaptureTimeout: ['`understudy recoveries` shows the percentage of the snapshots.'],
  VolumeNotFree: [
    '`understudy explain MEMBER`: which volume, and who has it.',
    'Its attachments in EC2: `aws ec2 describe-volumes`.',
  ],
  KmsKeyUnusable: ['The key in KMS: enabled? not to be deleted? Does its policy name the role of the coordinators?'],
  NoPlacementLeft: ['`understudy explain MEMBER`: each placement with what EC2 said to it.'],
  NoCapacity: ['The AWS Health Dashboard; other types or zones as placements (`understudy get policy GROUP`).'],
  LaunchAttemptsExhausted: [
    '`understudy history MEMBER` and `understudy explain MEMBER`: how each replacement failed. Its console output is kept for operators.',
  ],
  AddressHeldElsewhere: ['The address in the EC2 console: who has it now, and did a person put it there?'],
  HookRefused: ['The text has what the hook said. Its program or webhook: was it meant to refuse, or is it broken?'],
  RecordChanged: [
    'The record in Route 53, and who changed it (CloudTrail, `ChangeResourceRecordSets`): was it meant for the failed instance, or for good?',
  ],
  TargetNotHealthy: [
    'The target group in the EC2 console: the reason beside the replacement; security groups and the path of the health check.',
  ],
  CloudDenied: ['The text names the permission. `understudy iam-policy` prints the whole policy.'],
  CloudRejected: ["The text has EC2's own words."],
  CloudUnavailable: ['The AWS Health Dashboard for the Region; `understudy doctor` on the host of the leader.'],
  Abandoned: ['`understudy history MEMBER` says who abandoned it, why, and how everything was left.'],
  StoppedByOwnFence: ['Were records deleted from etcd by hand, or was it restored from a backup?'],
};

function section(reason: HoldReason): string {
  const { means, act, commands, endsByItself } = WAYS_OUT[reason];
  const steps = [...LOOK[reason], `${act[0]?.toUpperCase() ?? ''}${act.slice(1)}.`];
  const ends = endsByItself ? 'It ends by itself when its cause does.' : 'It stays until a person does something.';
  return [
    `## ${reason}`,
    '',
    wrapped(`${means[0]?.toUpperCase() ?? ''}${means.slice(1)}. ${ends}`),
    '',
    ...steps.map((step, at) => wrapped(`${at + 1}. ${step}`, '   ')),
    ...(commands.length === 0 ? [] : ['', '```sh', ...commands, '```']),
  ].join('\n');
}

/** The page docs/runbooks/holds.md, whole. */
export const holdsPage = (): string => `${INTRODUCTION}\n${HoldReasonSchema.options.map(section).join('\n\n')}\n`;

const INTRODUCTION = `# Runbook: holds

A hold is a decided refusal to act: a member has failed and is not replaced, or its recovery cannot
go on. One section for each reason: what it means, where to look, what to do, with the commands
(\`MEMBER\` is group/name). This page is made from the table that \`understudy explain\` uses (\`npm run
reference\`).

Before all else:

1. \`understudy status\`: which members are held, the longest first, and the problems.
2. \`understudy explain MEMBER\`: the evidence with its age, every gate with its value and its limit,
   and what would change the decision.
`;
