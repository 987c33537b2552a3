import type { HoldReason } from './records/cluster.ts';

/** What a person can do about a hold. */
export interface WayOut {
  readonly means: string;
  /** One sentence. */
  readonly act: string;
  /** Whole commands, with `MEMBER` for group/name. Empty: the act is all there is. */
  readonly commands: readonly string[];
  /** True when the hold also ends by itself, once its cause has passed. */
  readonly endsByItself: boolean;
}

const RETRY = 'understudy retry MEMBER --reason TEXT';
const REPLAN = 'understudy replan MEMBER --reason TEXT';
const ABANDON = 'understudy abandon MEMBER --reason TEXT';
const LEAVE_OPEN = 'understudy abandon MEMBER --leave-open --reason TEXT';
const RECOVER = 'understudy recover MEMBER --reason TEXT';
const ACCEPT_HOOK = 'understudy accept-loss MEMBER hook:NAME --reason TEXT';
const ACCEPT_RECORD = 'understudy accept-loss MEMBER record:… --reason TEXT';
const ACCEPT_TARGET = 'understudy accept-loss MEMBER target:… --reason TEXT';
const ACCEPT_ADDRESS = 'understudy accept-loss MEMBER address:eipalloc-… --reason TEXT';
const ACCEPT_VOLUME = 'understudy accept-loss MEMBER volume:vol-… --reason TEXT';
const EXPLAIN = 'understudy explain MEMBER';
const ACKNOWLEDGE = 'understudy acknowledge RECOVERY --reason TEXT';
const override = (gate: HoldReason): string => `understudy recover MEMBER --override ${gate} --reason TEXT`;

const wayOut = (
  means: string,
  act: string,
  commands: readonly string[] = [],
  ends: 'by-itself' | 'by-hand' = 'by-itself',
): WayOut => ({
  means,
  act,
  commands,
  endsByItself: ends === 'by-itself',
});

/**
 * The way out of every hold (S20): its meaning, what a person can do, and the commands for it.
 * These words stand only here: `explain`, the holds in the API and `docs/ways-out.md` take them
 * from here.
 */
export const WAYS_OUT: Readonly<Record<HoldReason, WayOut>> = {
  Paused: wayOut('somebody paused this member, its group or everything', 'end the pause when you are done', [
    'understudy resume SCOPE',
  ]),
  MassFailure: wayOut(
    'too many members failed at once: more likely the network or a change than the machines',
    'look at the network and at the last change first; the members are recovered once fewer are failed at once',
    [EXPLAIN, override('MassFailure')],
  ),
  ZoneFailure: wayOut(
    'too many members of one zone failed at once',
    'wait for the zone, or set guard.whenZoneLost: recover in the policy of the group, with recover.placements elsewhere',
    [EXPLAIN, override('ZoneFailure')],
  ),
  BudgetExhausted: wayOut('recoveries were begun faster than the budget allows', 'none: it refills by the minute'),
  GroupConcurrency: wayOut(
    'as many recoveries of the group are open as it allows',
    'end those, or raise guard.concurrency',
    [EXPLAIN],
  ),
  Cooldown: wayOut('its last recovery ended a short while ago', 'none: it passes; guard.cooldownMs is its length', [
    ACKNOWLEDGE,
  ]),
  Flapping: wayOut(
    'it was recovered as often as the policy allows within its window',
    'find out why it keeps failing; raise guard.flapLimit, or wait until the window has moved on',
    [EXPLAIN, ACKNOWLEDGE],
  ),
  BootGrace: wayOut('it was started a moment ago', 'none: it passes'),
  RecoveringByEc2: wayOut(
    'EC2 recovers or reboots its host by itself; recover.ladder.waitForEc2Ms is how long that is waited for',
    'none: it is back, or a recovery begins when the time is over',
    [EXPLAIN, override('RecoveringByEc2')],
  ),
  Protected: wayOut(
    'its instance is tagged understudy:protected=true',
    'take the tag away to have it replaced',
    [],
    'by-hand',
  ),
  MaintenanceWindow: wayOut(
    'a maintenance window is open',
    'none: it closes; shorten it in the policy if that is too late',
  ),
  ObserverUnwell: wayOut(
    'this coordinator does not trust its own eyes or ears',
    'look at its log and its load, or restart it, and only it: another one then leads. If most members are silent because their zone is lost, name the zone in guard.lostZones of their groups, with an end',
    ['understudy apply -f FILE'],
  ),
  NotEnoughObservers: wayOut(
    'fewer observers have an opinion than it takes to call somebody dead',
    'start the coordinators that are missing',
    ['understudy status'],
  ),
  NeverHeard: wayOut(
    'no coordinator that runs now has ever heard it',
    'start its agent; if it died while all coordinators were down, start the instance, or replace it by hand',
    [],
    'by-hand',
  ),
  ProbeAnswered: wayOut(
    'heartbeats are silent, but a service of it answers',
    'restart its agent; it counts as dead after detect.answeredProbesHoldForMs',
  ),
  KeyRetired: wayOut(
    'it was last heard under a key that is no longer accepted',
    'give its agent a key that is accepted, or take the retired one back',
    ['understudy keys status'],
    'by-hand',
  ),
  TwoAgents: wayOut(
    'two agent processes on its instance speak for it',
    'end the one that was started beside the service; its log (agent.stale) and the lock files in /run/understudy/agents name the processes',
    [EXPLAIN],
  ),
  TwoInstancesClaimMember: wayOut(
    'two instances claim to be this member',
    'leave the tags understudy:group and understudy:member on one of them, or stop the other',
    [],
    'by-hand',
  ),
  ClaimAgainstActivation: wayOut(
    'an instance claims to be this member, and another one is activated',
    'stop the other one, or take its tags away',
    [],
    'by-hand',
  ),
  RecordUnreadable: wayOut(
    'a record in etcd does not fit its schema, or a newer build wrote it',
    'correct or delete the key the text names, or, of a newer build, have one of its coordinators lead; it is never overwritten',
    ['understudy inspect AREA'],
    'by-hand',
  ),
  NotReady: wayOut(
    'a recovery would fail on what the text names, or nobody can tell what became of the instance',
    'put right what the text names',
    [EXPLAIN],
  ),
  FenceNotProven: wayOut(
    'an instance was not seen stopped or terminated, and may still write',
    'stop it in EC2 (or what the text names); it goes on as soon as that is seen',
    [RETRY, ABANDON],
  ),
  CaptureFailed: wayOut(
    'the volumes of the failed instance cannot be captured',
    'put right what the text names, then try again; a data volume that is gone for good can be given up',
    [RETRY, ACCEPT_VOLUME, ABANDON],
    'by-hand',
  ),
  CaptureTimeout: wayOut(
    'the snapshots take longer than recover.captureTimeoutMs; they are still followed',
    'none: it goes on when they are complete',
    [RETRY, ABANDON],
  ),
  VolumeNotFree: wayOut(
    'a disk of the member does not come off its instance, or somebody else has it',
    'see to it that the volume the text names is attached to nothing; it goes on once it is. Abandoned, the member gets back what can come back, and the history says where each disk is; --leave-open tries nothing',
    [RETRY, ABANDON, LEAVE_OPEN],
  ),
  KmsKeyUnusable: wayOut(
    'the KMS key of one of its volumes is disabled, to be deleted or closed to us: EC2 could not open what it makes of it',
    'do to the key what the text names; nothing is launched meanwhile, no launch try is lost, and it goes on by itself',
    [RETRY, ABANDON],
  ),
  NoPlacementLeft: wayOut(
    'EC2 refuses every placement of the plan, or all of them lie in a lost zone',
    'give the policy of the group a placement that works, then have the plan made again',
    [REPLAN, RETRY, ABANDON],
    'by-hand',
  ),
  NoCapacity: wayOut(
    'EC2 has had no room for the replacement for a while; every placement is asked again and again',
    'none: it goes on when there is room; give the policy of the group more placements and have the plan made again, or try at once',
    [RETRY, REPLAN, ABANDON],
  ),
  LaunchAttemptsExhausted: wayOut(
    'as many replacements failed as the policy allows, or none could be launched for as long as it says',
    'put right what the text names, then try again; a policy corrected since needs a new plan',
    [RETRY, REPLAN, ABANDON],
    'by-hand',
  ),
  AddressHeldElsewhere: wayOut(
    'an address or interface of the member is with somebody else; the replacement serves, and is watched',
    'move it to the replacement, or release it, or give it up (the text has the command for each)',
    [ACCEPT_ADDRESS, RETRY],
  ),
  HookRefused: wayOut(
    "a hook of the operator's says no, fails or does not end; what it comes before is not done",
    'put right what the text names: it is run again by itself; or go on without it',
    [ACCEPT_HOOK, RETRY, ABANDON],
  ),
  RecordChanged: wayOut(
    'somebody has changed a DNS record of the member; the replacement serves, and is watched',
    'have the record say the address of the replacement (or what it said before), or leave it as it is',
    [ACCEPT_RECORD, RETRY],
  ),
  TargetNotHealthy: wayOut(
    'a load balancer does not find the replacement healthy; it serves, and is watched',
    'put right what the health check asks for; it goes on by itself, or leave the target group as it is',
    [ACCEPT_TARGET, RETRY],
  ),
  CloudDenied: wayOut(
    'EC2 denies what is asked of it',
    'give the role of the coordinators the permission the text names (understudy iam-policy prints them all); it is tried again by itself',
    [RETRY, ABANDON],
  ),
  CloudRejected: wayOut(
    'EC2 refuses a request as it stands',
    'put right what the text names; where the plan is at fault, correct the policy and have it made again',
    [RETRY, REPLAN, ABANDON],
  ),
  CloudUnavailable: wayOut(
    'EC2 does not do what it is asked',
    'none: it is asked again, and goes on once EC2 answers; the text names the call. To try it at once or to give it up takes an open recovery',
    [RETRY, ABANDON],
  ),
  Abandoned: wayOut(
    'an operator ended its recovery without replacing it; the history names what was left as it was',
    'start its instance: the activation names it, so it serves again; or begin a new recovery',
    [RECOVER],
    'by-hand',
  ),
  StoppedByOwnFence: wayOut(
    'we stopped its instance for a recovery that is over: its records are gone, or its stop took effect late',
    'start its instance: the activation names it, so it serves again; or begin a new recovery',
    [RECOVER],
    'by-hand',
  ),
};

/**
 * Advice in the text of a hold for a recovery that is not tried again by itself, or not soon.
 * `plan`: the frozen plan may be at fault, so that trying it again would not help.
 */
export function retryAdvice(member: string, plan: 'plan-holds' | 'plan-may-be-wrong' = 'plan-holds'): string {
  const retry = `To try again at once: ${RETRY.replace('MEMBER', member)}`;
  return plan === 'plan-holds'
    ? retry
    : `${retry}; with a plan from the policy of now: ${REPLAN.replace('MEMBER', member)}`;
}

/** The commands of a way out, for this member. */
export const commandsFor = (reason: HoldReason, member: string): readonly string[] =>
  WAYS_OUT[reason].commands.map((command) => command.replace('MEMBER', member));
