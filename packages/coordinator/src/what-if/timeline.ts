import { wallMs, type WhatIfMember } from '@understudy/shared';
import type { FleetMember, GuardAnswer, StartedRecovery } from '../judge/guard-input.ts';
import { guard } from '../judge/guard.ts';
import { guardQuorum } from '../judge/quorum.ts';
import { MassAnswers } from './mass-answers.ts';
import { wayFor, type Way } from './way.ts';
import { RateLimits } from './rate-limits.ts';
import type { WhatIfSnapshot, WhatIfSubject } from './snapshot.ts';
import { judgedSilent, type Survivors } from './survivors.ts';

/** Moments that are looked at: a recovery begins or ends, or a gate has waited for it. */
const MOMENTS_MAX = 5_000;

/** A member that waits for its recovery. */
interface Waiting {
  readonly subject: WhatIfSubject;
  readonly suspectAtMs: number;
  readonly dueAtMs: number;
  readonly quorum: ReturnType<typeof guardQuorum>;
  readonly waitedFor: string[];
  answer: Extract<GuardAnswer, { readonly kind: 'hold' }> | null;
}

/** What the guard is asked with at one moment. It is made anew with each recovery that begins. */
interface Around {
  readonly fleet: readonly FleetMember[];
  readonly recoveries: readonly StartedRecovery[];
  readonly mass: MassAnswers;
}

interface Begun {
  readonly subject: WhatIfSubject;
  readonly atMs: number;
  readonly servesAtMs: number;
  /** The zone in which it serves then. */
  readonly az: string;
}

export interface Timeline {
  readonly members: readonly WhatIfMember[];
  readonly limits: RateLimits;
  readonly truncated: boolean;
}

const NOT_BEGUN = {
  ...{ order: null, startsAfterMs: null, servesAfterMs: null, servesAfterSlowMs: null, rateWaitMs: 0 },
} as const;

const notDecided = (subject: WhatIfSubject, waitedFor: readonly string[] = []): WhatIfMember =>
  held(subject, 'NotDecided', 'it was not decided within the bound', waitedFor);

const STUCK = {
  outcome: 'stuck',
  servesAfterMs: null,
  servesAfterSlowMs: null,
  rpoMs: null,
  reason: 'NoPlacementOutsideZone',
} as const;

const held = (
  subject: WhatIfSubject,
  reason: string,
  text: string,
  waitedFor: readonly string[] = [],
): WhatIfMember => ({
  ...{ member: subject.evidence.member, az: subject.evidence.az, outcome: 'held', ...NOT_BEGUN },
  ...{ strategy: null, places: [], rpoMs: null, waitedFor: [...waitedFor], reason, text },
});

/**
 * Plays the failure forward, from one moment at which something changes to the next: who is due is
 * asked about by the guard, in the order of the decider, with the fleet and the recoveries as they
 * would be then. Nothing but this object is changed.
 */
export class TimelineRun {
  readonly #snapshot: WhatIfSnapshot;
  readonly #survivors: Survivors;
  readonly #limits: RateLimits;
  readonly #done: WhatIfMember[] = [];
  readonly #begun: Begun[] = [];
  readonly #suspectAtMs: ReadonlyMap<string, number>;
  #waiting: Waiting[] = [];

  constructor(snapshot: WhatIfSnapshot, survivors: Survivors) {
    this.#snapshot = snapshot;
    this.#survivors = survivors;
    this.#limits = new RateLimits(snapshot.limitOf);
    this.#suspectAtMs = new Map(
      survivors.failed.map(({ evidence, guard: { policy } }) => [evidence.member, policy.detect.suspectAfterMs]),
    );
  }

  /**
   * Each step judges or asks about one member at most, so that whoever drives it may do something
   * else between two. Told `true` that it is enough, it says of the rest that it was not decided.
   */
  *moments(): Generator<void, Timeline, boolean> {
    const { failed } = this.#survivors;
    let [judged, count, isEnough] = [0, 0, false];
    for (const subject of failed) {
      if (isEnough) break;
      this.#judge(subject);
      judged++;
      isEnough = yield;
    }
    this.#waiting.sort((a, b) => a.suspectAtMs - b.suspectAtMs);
    let atMs = this.#nextAfter(-1);
    for (; atMs !== null && this.#waiting.length > 0 && count < MOMENTS_MAX && !isEnough; count++) {
      isEnough = yield* this.#decide(atMs);
      atMs = this.#nextAfter(atMs);
    }
    const truncated = isEnough || count >= MOMENTS_MAX;
    return { members: [...this.#done, ...this.#rest(failed.slice(judged))], limits: this.#limits, truncated };
  }

  #judge(subject: WhatIfSubject): void {
    const { evidence, guard: asked } = subject;
    const { afterMs } = this.#survivors.leader;
    if (afterMs === null) {
      this.#done.push(held(subject, 'NoLeader', 'no coordinator is left that could lead'));
      return;
    }
    const assessment = judgedSilent(subject, this.#survivors, this.#snapshot);
    if (!assessment.act) {
      this.#done.push(held(subject, assessment.reasonCode, assessment.reason));
      return;
    }
    const { suspectAfterMs, confirmForMs } = asked.policy.detect;
    const dueAtMs = Math.max(suspectAfterMs + confirmForMs, afterMs);
    const quorum = guardQuorum(assessment, evidence.az);
    this.#waiting.push({ subject, suspectAtMs: suspectAfterMs, dueAtMs, quorum, waitedFor: [], answer: null });
  }

  /** The next moment at which an answer could be another one. Null: there is none. */
  #nextAfter(atMs: number): number | null {
    const { nowWallMs } = this.#snapshot;
    let nextMs = Number.POSITIVE_INFINITY;
    const note = (oneMs: number) => {
      if (oneMs > atMs) nextMs = Math.min(nextMs, oneMs);
    };
    for (const { dueAtMs, answer } of this.#waiting) {
      note(dueAtMs);
      note((answer?.untilWallMs ?? nowWallMs) - nowWallMs);
    }
    for (const { servesAtMs } of this.#begun) note(servesAtMs);
    return Number.isFinite(nextMs) ? nextMs : null;
  }

  /** A step for the moment, and one for each member that is asked about. True: it is enough. */
  *#decide(atMs: number): Generator<void, boolean, boolean> {
    let around = this.#aroundAt(atMs, this.#fleetAt(atMs));
    let running = around.recoveries.filter((one) => one.endedAtWallMs === null).length;
    const still: Waiting[] = [];
    let isSpent = false;
    let isEnough = yield;
    for (const one of this.#waiting) {
      if (one.dueAtMs > atMs || isSpent || isEnough || running >= this.#snapshot.recoveriesMax) {
        still.push(one);
        continue;
      }
      const begun = this.#begun.length;
      if (!this.#ask(one, atMs, around)) {
        still.push(one);
        // All others would wait for the same budget: the longest silent goes first.
        isSpent = one.answer?.reason === 'BudgetExhausted';
      } else if (this.#begun.length > begun) {
        around = this.#aroundAt(atMs, around.fleet);
        running = around.recoveries.filter((each) => each.endedAtWallMs === null).length;
      }
      isEnough = yield;
    }
    this.#waiting = still;
    return isEnough;
  }

  /** True: it is decided. */
  #ask(one: Waiting, atMs: number, { fleet, recoveries, mass }: Around): boolean {
    const { subject, quorum } = one;
    const wallNowMs = wallMs(this.#snapshot.nowWallMs + atMs);
    const input = { ...subject.guard, wallNowMs, quorum, fleet, recoveries };
    const answer = guard(input, mass.of(input));
    if (answer.kind === 'hold') {
      if (one.waitedFor.at(-1) !== answer.reason) one.waitedFor.push(answer.reason);
      one.answer = answer;
      return false;
    }
    const way = wayFor(subject, answer.leaveAz);
    this.#done.push(
      'problem' in way ? held(subject, way.problem.code, way.problem.text, one.waitedFor) : this.#begin(one, way, atMs),
    );
    return true;
  }

  #begin({ subject, waitedFor }: Waiting, way: Way, atMs: number): WhatIfMember {
    const { member, az } = subject.evidence;
    const rateWaitMs = this.#limits.take(way.calls, atMs);
    const { lostZone } = this.#survivors;
    const isStuck = lostZone !== null && !way.places.some((zone) => zone !== lostZone);
    const servesAtMs = isStuck ? Number.POSITIVE_INFINITY : atMs + way.servesAfter.typicalMs + rateWaitMs;
    this.#begun.push({ subject, atMs, servesAtMs, az: way.places[0] ?? az });
    const begun = {
      ...{ member, az, order: this.#begun.length, startsAfterMs: atMs },
      ...{ strategy: way.strategy, places: [...way.places], waitedFor: [...waitedFor] },
      rateWaitMs: Math.round(rateWaitMs),
    };
    if (isStuck)
      return { ...begun, ...STUCK, text: `its recovery begins, and every place of its plan is in ${lostZone}` };
    const { losesSinceWallMs } = way;
    return {
      ...begun,
      outcome: 'recovered',
      servesAfterMs: Math.round(servesAtMs),
      servesAfterSlowMs: Math.round(atMs + way.servesAfter.slowMs + rateWaitMs),
      rpoMs: losesSinceWallMs === null ? 0 : Math.max(0, this.#snapshot.nowWallMs - losesSinceWallMs),
      ...{ reason: 'Recovered', text: 'every gate lets it be recovered' },
    };
  }

  #aroundAt(atMs: number, fleet: readonly FleetMember[]): Around {
    return { fleet, recoveries: this.#recoveriesAt(atMs), mass: new MassAnswers(fleet) };
  }

  /** What is not decided in the end, and those that were not even judged. */
  #rest(unjudged: readonly WhatIfSubject[]): readonly WhatIfMember[] {
    const waiting = this.#waiting.map(({ subject, answer, waitedFor }) =>
      answer === null ? notDecided(subject, waitedFor) : held(subject, answer.reason, answer.text, waitedFor),
    );
    return [...waiting, ...unjudged.map((one) => notDecided(one))];
  }

  /** Members that failed, and are not back, are silent from when they are suspect. */
  #fleetAt(atMs: number): readonly FleetMember[] {
    const { fleet, nowWallMs } = this.#snapshot;
    const back = new Map<string, string>(
      this.#begun.filter((one) => one.servesAtMs <= atMs).map(({ subject, az }) => [subject.evidence.member, az]),
    );
    return fleet.map((one) => {
      const sinceMs = this.#suspectAtMs.get(one.member);
      if (sinceMs === undefined) return one;
      const az = back.get(one.member);
      if (az !== undefined) return { ...one, az };
      const failedSinceWallMs = one.failedSinceWallMs ?? (sinceMs <= atMs ? nowWallMs + sinceMs : null);
      return { ...one, failedSinceWallMs, heard: false };
    });
  }

  #recoveriesAt(atMs: number): readonly StartedRecovery[] {
    const { recoveries, nowWallMs } = this.#snapshot;
    const begun = this.#begun.map(({ subject, atMs: startedMs, servesAtMs }) => ({
      ...{ member: subject.evidence.member, group: subject.guard.group, az: subject.evidence.az },
      ...{ startedAtWallMs: nowWallMs + startedMs, endedAtWallMs: servesAtMs <= atMs ? nowWallMs + servesAtMs : null },
    }));
    return [...recoveries, ...begun];
  }
}
