import { wallMs, type WhatIfMember } from '@understudy/shared';
import type { FleetMember, GuardAnswer, StartedRecovery } from '../judge/guard-input.ts';
import { guard } from '../judge/guard.ts';
import { guardQuorum } from '../judge/quorum.ts';
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
  #waiting: Waiting[] = [];

  constructor(snapshot: WhatIfSnapshot, survivors: Survivors) {
    this.#snapshot = snapshot;
    this.#survivors = survivors;
    this.#limits = new RateLimits(snapshot.limitOf);
    for (const subject of survivors.failed) this.#judge(subject);
    this.#waiting.sort((a, b) => a.suspectAtMs - b.suspectAtMs);
  }

  /** Each step is one moment, so that whoever drives it may do something else between two. */
  *moments(): Generator<void, Timeline> {
    let atMs: number | null = this.#nextAfter(-1);
    let count = 0;
    for (; atMs !== null && this.#waiting.length > 0 && count < MOMENTS_MAX; count++) {
      this.#decide(atMs);
      yield;
      atMs = this.#nextAfter(atMs);
    }
    const rest = this.#waiting.map(({ subject, answer, waitedFor }) =>
      held(subject, answer?.reason ?? 'NotDecided', answer?.text ?? 'it was not decided within the bound', waitedFor),
    );
    return { members: [...this.#done, ...rest], limits: this.#limits, truncated: count >= MOMENTS_MAX };
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
    const moments = [
      ...this.#waiting.flatMap(({ dueAtMs, answer }) => [dueAtMs, (answer?.untilWallMs ?? nowWallMs) - nowWallMs]),
      ...this.#begun.map(({ servesAtMs }) => servesAtMs),
    ].filter((one) => one > atMs && Number.isFinite(one));
    return moments.length === 0 ? null : Math.min(...moments);
  }

  #decide(atMs: number): void {
    const open = this.#snapshot.recoveries.filter((one) => one.endedAtWallMs === null).length;
    const fleet = this.#fleetAt(atMs);
    const still: Waiting[] = [];
    let isSpent = false;
    for (const one of this.#waiting) {
      const running = open + this.#begun.filter(({ servesAtMs }) => servesAtMs > atMs).length;
      if (one.dueAtMs > atMs || isSpent || running >= this.#snapshot.recoveriesMax) still.push(one);
      else if (!this.#ask(one, atMs, fleet)) {
        still.push(one);
        // All others would wait for the same budget: the longest silent goes first.
        isSpent = one.answer?.reason === 'BudgetExhausted';
      }
    }
    this.#waiting = still;
  }

  /** True: it is decided. */
  #ask(one: Waiting, atMs: number, fleet: readonly FleetMember[]): boolean {
    const { subject, quorum } = one;
    const wallNowMs = wallMs(this.#snapshot.nowWallMs + atMs);
    const answer = guard({ ...subject.guard, wallNowMs, quorum, fleet, recoveries: this.#recoveriesAt(atMs) });
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

  /** Members that failed, and are not back, are silent from when they are suspect. */
  #fleetAt(atMs: number): readonly FleetMember[] {
    const { fleet, nowWallMs } = this.#snapshot;
    const back = new Map<string, string>(
      this.#begun.filter((one) => one.servesAtMs <= atMs).map(({ subject, az }) => [subject.evidence.member, az]),
    );
    const suspectAtMs = new Map<string, number>(
      this.#survivors.failed.map(({ evidence, guard: { policy } }) => [evidence.member, policy.detect.suspectAfterMs]),
    );
    return fleet.map((one) => {
      const sinceMs = suspectAtMs.get(one.member);
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
