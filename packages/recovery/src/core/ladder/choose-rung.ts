import type { CloudInstanceStatus, InstanceState, Rung } from '@understudy/shared';

type Check = CloudInstanceStatus['system'];

/** What is known of the failure, as far as it decides about the way back. */
export interface RungEvidence {
  /** Null: EC2 does not show it. */
  readonly state: InstanceState | null;
  /** EC2's status checks. Null: no answer that is fresh. */
  readonly system: Check | null;
  readonly instance: Check | null;
  readonly attachedEbs: Check | null;
  /** It is heard, and failed because of its checks or its services. */
  readonly answers: boolean;
  /** Whoever leads has heard its boot epoch, so that a later one can be told. */
  readonly knowsBootEpoch: boolean;
  readonly hasInstanceStore: boolean;
  /** Its zone is lost, and the policy leaves it. */
  readonly leavesZone: boolean;
}

/** One recovery of the same failure. */
export interface TriedRung {
  readonly rung: string;
  readonly outcome: 'mended' | 'not-mended';
}

export interface LadderInput {
  /** The rungs that the policy allows, in order. */
  readonly rungs: readonly string[];
  readonly evidence: RungEvidence;
  readonly tried: readonly TriedRung[];
  /** Why a rung cannot be planned. Null: it can. */
  readonly obstacleOf: (rung: string) => string | null;
  /** The rung that a person has asked for, whatever the evidence says. Null: none. */
  readonly asked: string | null;
  /**
   * Why a rung is not worth trying before the other one, which could be taken instead. Null: it is.
   * Absent: none is left out for its time.
   */
  readonly notWorthIt?: (rung: string, next: string) => string | null;
}

export interface LadderChoice {
  /** Null: none is left. */
  readonly rung: string | null;
  /** What became of each rung, in order. */
  readonly said: readonly Rung[];
}

const LAST = 'snapshot-and-replace';

const WHY: Readonly<Record<string, string>> = {
  reboot: 'it answers, or EC2 says its own system is at fault: it is rebooted where it is',
  'stop-start': 'its disks are fine as far as is known: a stop and a start bring them to another host',
  reattach: 'its disks move to another instance, and nothing is copied',
  [LAST]: 'another instance from copies of its disks: it works wherever EC2 does',
};

function rebootFault(evidence: RungEvidence): string | null {
  const { state, system, instance, attachedEbs, answers, knowsBootEpoch, hasInstanceStore } = evidence;
  if (state !== 'running') return `it is ${state ?? 'not shown by EC2'}: there is nothing to reboot`;
  if (system === 'impaired') return "EC2's system status check is impaired: a reboot stays on the same host";
  if (attachedEbs === 'impaired') return 'its disks do not answer: a reboot does not bring them back';
  if (!knowsBootEpoch) return 'this leader has never heard its boot epoch: a later one could not be told';
  if (answers || instance === 'impaired' || hasInstanceStore) return null;
  return 'nothing of it answers: EC2 would wait minutes for its shutdown, and a stop need not';
}

/** Why a rung does not fit the failure; null: it does. */
function misfit(rung: string, evidence: RungEvidence): string | null {
  if (rung === LAST) return null;
  const { state, leavesZone } = evidence;
  if (leavesZone) return 'its zone is lost, and this way stays in it';
  if (state === null) return 'EC2 does not show it';
  if (state === 'terminated' || state === 'shutting-down') return `it is ${state}`;
  return rung === 'reboot' ? rebootFault(evidence) : null;
}

function triedText(rung: string, tried: readonly TriedRung[]): string | null {
  const last = tried.findLast((one) => one.rung === rung);
  if (!last) return null;
  return last.outcome === 'mended' ? 'it was back, and failed again soon after' : 'it was tried and not back';
}

/**
 * Which way is taken now: the first that the policy allows, that fits what is known, that can be
 * planned, that was not tried for this failure, and that is worth trying before the next such one.
 * The last one that is left is always worth it. What a person asks for is taken if it can be
 * planned. Pure.
 */
export function chooseRung(input: LadderInput): LadderChoice {
  const { rungs, evidence, tried, obstacleOf, asked, notWorthIt = () => null } = input;
  const said: Rung[] = [];
  let chosen: string | null = null;
  const wanted = asked === null || rungs.includes(asked) ? rungs : [...rungs, asked];
  for (const rung of wanted) {
    const one = asked === null ? judged(rung) : asked === rung ? named(rung) : notAsked(rung);
    if (one.said === 'taken') chosen = rung;
    said.push(one);
  }
  return { rung: chosen, said };

  function judged(rung: string): Rung {
    const before = triedText(rung, tried);
    if (before !== null) return { rung, said: 'tried', why: before };
    if (chosen !== null) return { rung, said: 'later', why: `taken when ${chosen} does not bring it back` };
    const fault = misfit(rung, evidence) ?? obstacleOf(rung);
    if (fault !== null) return { rung, said: 'skipped', why: fault };
    const next = nextAfter(rung);
    const waste = next === null ? null : notWorthIt(rung, next);
    if (waste !== null) return { rung, said: 'skipped', why: waste };
    return { rung, said: 'taken', why: WHY[rung] ?? 'the policy names it' };
  }

  function nextAfter(rung: string): string | null {
    const fits = (one: string): boolean =>
      triedText(one, tried) === null && misfit(one, evidence) === null && obstacleOf(one) === null;
    return wanted.slice(wanted.indexOf(rung) + 1).find(fits) ?? null;
  }

  function named(rung: string): Rung {
    const fault = obstacleOf(rung);
    return fault === null
      ? { rung, said: 'taken', why: 'a person has asked for it' }
      : { rung, said: 'skipped', why: fault };
  }

  function notAsked(rung: string): Rung {
    return { rung, said: 'skipped', why: `a person has asked for ${asked ?? ''}` };
  }
}
