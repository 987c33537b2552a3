import { durationText, type WallMs } from '@understudy/shared';
import { ageOf, isInBootGrace } from './boot-grace.ts';
import {
  type GateResult,
  gate,
  type GuardAnswer,
  type GuardInput,
  OBJECTION_REASONS,
  type Objection,
} from './guard-input.ts';
import { type MassAnswer, massGates } from './guard-mass.ts';
import { budgetGate, concurrencyGate, cooldownGate, flapGate } from './guard-rates.ts';
import { overridden } from './overrides.ts';
import { pauseHolds } from '../policy/pauses.ts';
import { windowGate } from './guard-window.ts';

/**
 * Asks whether we may act. Every gate is asked, for `explain`. The first that refuses is the hold,
 * in this order: a person's will (pause) · can we trust what we see (conflicting claims, own
 * trouble, observers) · this member (protected, maintenance window, boot grace, EC2 at work) · the
 * fleet (mass, zone) · this member's past (flapping, cooldown) · rates (group, budget). A gate
 * stands the earlier, the more it needs a person. `mass`: what {@link massGates} says of this
 * input, where that is known already.
 */
export function guard(input: GuardInput, mass: MassAnswer = massGates(input)): GuardAnswer {
  const asked: GateResult[] = [
    pauseGate(input),
    ...objectionGates(input),
    gate('ObserverUnwell', input.ownTrouble === null, {
      value: input.ownTrouble ?? 'this coordinator trusts its own view',
      limit: 'no trouble of its own',
    }),
    gate('NotEnoughObservers', input.quorum?.met ?? true, {
      value: input.quorum?.text ?? 'not judged from silence',
      limit: input.quorum?.limit ?? 'counts only for silence',
    }),
    gate('Protected', !input.protectedByTag, {
      value: input.protectedByTag ? 'tagged understudy:protected' : 'not protected by tag',
      limit: 'no tag understudy:protected=true',
    }),
    windowGate(input),
    bootGraceGate(input),
    ...ec2RecoversGate(input),
    ...mass.gates,
    flapGate(input),
    cooldownGate(input),
    concurrencyGate(input),
    budgetGate(input),
  ];
  const gates = asked.map((one) => overridden(one, input.overrides ?? null));
  const refusing = gates.find((result) => !result.passes);
  if (!refusing) return { kind: 'go', gates, leaveAz: mass.leaveAz };
  return { kind: 'hold', reason: refusing.gate, text: refusing.text, untilWallMs: refusing.untilWallMs, gates };
}

/** Asked only where the group waits for EC2 at all. */
function ec2RecoversGate({ ec2Recovers }: GuardInput): GateResult[] {
  if (ec2Recovers === undefined) return [];
  const limit = 'EC2 does not bring it back by itself, or was waited for long enough';
  if (ec2Recovers === null) return [gate('RecoveringByEc2', true, { value: 'EC2 does nothing about it', limit })];
  return [gate('RecoveringByEc2', false, { value: ec2Recovers.text, limit }, ec2Recovers.untilWallMs)];
}

function pauseGate(input: GuardInput): GateResult {
  const pause = input.pauses.find((one) => pauseHolds(one, input.member, input.wallNowMs));
  const limit = 'no pause of everything, the group or the member';
  if (!pause) return gate('Paused', true, { value: 'not paused', limit });
  const value = `${pause.scope} paused by ${pause.who}: ${pause.why}`;
  return gate('Paused', false, { value, limit }, pause.untilWallMs as WallMs | null);
}

const OBJECTIONS: Readonly<Record<Objection['reason'], { readonly limit: string; readonly fine: string }>> = {
  RecordUnreadable: { limit: 'every record about it can be read', fine: 'all can be read' },
  TwoInstancesClaimMember: { limit: 'one instance carries its tags', fine: 'no second claim seen' },
  ClaimAgainstActivation: { limit: 'only the activated instance carries its tags', fine: 'no other claim seen' },
  NotReady: { limit: 'no earlier recovery of this instance', fine: 'none known' },
};

/**
 * Conflicts come first: while two instances claim one member, nothing else about it means anything.
 */
function objectionGates(input: GuardInput): GateResult[] {
  return OBJECTION_REASONS.flatMap((reason) => {
    const { limit, fine } = OBJECTIONS[reason];
    const own = input.objections.filter((objection) => objection.reason === reason);
    if (own.length === 0) return [gate(reason, true, { value: fine, limit })];
    return own.map(({ text }) => gate(reason, false, { value: text, limit }));
  });
}

function bootGraceGate(input: GuardInput): GateResult {
  const { launchedAtWallMs, policy, wallNowMs } = input;
  const limit = `at least ${durationText(policy.guard.bootGraceMs)} old`;
  if (launchedAtWallMs === null) return gate('BootGrace', true, { value: 'launch time unknown', limit });
  const ageMs = ageOf(launchedAtWallMs, wallNowMs);
  if (ageMs === null) {
    const value = `launched in the future of our clock, ${durationText(launchedAtWallMs - wallNowMs)}`;
    return gate('BootGrace', true, { value, limit });
  }
  const text = `started ${durationText(ageMs)} ago, boot grace ${durationText(policy.guard.bootGraceMs)}`;
  const said = { value: `started ${durationText(Math.max(0, ageMs))} ago`, limit, text };
  const untilWallMs = (launchedAtWallMs + policy.guard.bootGraceMs) as WallMs;
  return gate('BootGrace', !isInBootGrace(ageMs, policy), said, untilWallMs);
}
