import type { WallMs } from '@understudy/shared';
import { ageOf, isInBootGrace } from './boot-grace.ts';
import { type GateResult, type GuardAnswer, type GuardInput, gate } from './guard-input.ts';
import { massGate, zoneGate } from './guard-mass.ts';
import { budgetGate, concurrencyGate, cooldownGate, flapGate } from './guard-rates.ts';

/**
 * May we act? Every gate is asked, for `explain`; the first that refuses, in this order, is the hold:
 * a person's will (pause) · can we trust what we see (conflicting claims, own trouble, observers) · this member (protected, not ready, boot
 * grace) · the fleet (mass, zone) · this member's past (flapping, cooldown) · rates (group, budget). The more a gate needs a person, the earlier.
 */
export function guard(input: GuardInput): GuardAnswer {
  const gates: GateResult[] = [
    pauseGate(input),
    ...objectionGates(input),
    gate('ObserverUnwell', input.ownTrouble === null, input.ownTrouble ?? 'this coordinator trusts its own view'),
    gate('NotEnoughObservers', input.quorum?.met ?? true, input.quorum?.text ?? 'not judged from silence'),
    gate(
      'Protected',
      !input.protectedByTag,
      input.protectedByTag ? 'tagged understudy:protected' : 'not protected by tag',
    ),
    bootGraceGate(input),
    massGate(input),
    zoneGate(input),
    flapGate(input),
    cooldownGate(input),
    concurrencyGate(input),
    budgetGate(input),
  ];
  const refusing = gates.find((result) => !result.passes);
  if (!refusing) return { kind: 'go', gates };
  return { kind: 'hold', reason: refusing.gate, text: refusing.text, untilWallMs: refusing.untilWallMs, gates };
}

function pauseGate(input: GuardInput): GateResult {
  const scopes = ['global', `group/${input.group}`, `member/${input.member}`];
  const pause = input.pauses.find(
    (one) => scopes.includes(one.scope) && (one.untilWallMs === null || one.untilWallMs > input.wallNowMs),
  );
  if (!pause) return gate('Paused', true, 'not paused');
  return gate(
    'Paused',
    false,
    `${pause.scope} paused by ${pause.who}: ${pause.why}`,
    pause.untilWallMs as WallMs | null,
  );
}

/** Conflicts first: while two instances claim one member, nothing else about it means anything. */
function objectionGates(input: GuardInput): GateResult[] {
  const results = input.objections.map((objection) => gate(objection.reason, false, objection.text));
  const rank = (result: GateResult) => (result.gate === 'NotReady' ? 1 : 0);
  return results.toSorted((a, b) => rank(a) - rank(b));
}

function bootGraceGate(input: GuardInput): GateResult {
  const { launchedAtWallMs, policy, wallNowMs } = input;
  if (launchedAtWallMs === null) return gate('BootGrace', true, 'launch time unknown');
  const ageMs = ageOf(launchedAtWallMs, wallNowMs);
  if (ageMs === null)
    return gate('BootGrace', true, `launched in the future of our clock, ${launchedAtWallMs - wallNowMs} ms`);
  const text = `started ${ageMs} ms ago, boot grace ${policy.bootGraceMs} ms`;
  return gate('BootGrace', !isInBootGrace(ageMs, policy), text, (launchedAtWallMs + policy.bootGraceMs) as WallMs);
}
