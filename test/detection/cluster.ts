import { assess, type MemberEvidence } from '@understudy/coordinator/testing';
import { DEFAULT_POLICY, monotonicMs, type OpinionVerdict, type Random, wallMs } from '@understudy/shared';
import type { LossPath } from './chance.ts';
import { INSTANCE, MEMBER, Site, type Timing } from './site.ts';
import type { Silence } from './stream.ts';

const OBSERVERS = [
  { coordinatorId: 'c1', az: 'us-east-1a' },
  { coordinatorId: 'c2', az: 'us-east-1b' },
  { coordinatorId: 'c3', az: 'us-east-1c' },
] as const;
const LONG_AGO_MS = -86_400_000;

/**
 * The verdict of `assess` on these three opinions at defaults, while EC2 says that the instance
 * runs. Opinions reach the leader at once.
 */
export function clusterVerdict(verdicts: readonly OpinionVerdict[], nowMs: number): OpinionVerdict {
  const evidence: MemberEvidence = {
    member: MEMBER,
    instanceId: INSTANCE,
    az: 'us-east-1a',
    wallNowMs: wallMs(nowMs),
    observers: OBSERVERS,
    opinions: OBSERVERS.map(({ coordinatorId, az }, index) => {
      const verdict = verdicts[index] ?? 'unknown';
      const reason = verdict === 'dead' ? 'ProbesFailed' : verdict === 'suspect' ? 'Silent' : 'Heard';
      const since = { sinceWallMs: nowMs, lastHeardWallMs: nowMs };
      return { observer: coordinatorId, az, instanceId: INSTANCE, verdict, reason, ...since };
    }),
    requirement: { minimumObservers: 2, minimumZones: 2 },
    cloud: {
      readAtMs: monotonicMs(nowMs),
      instance: { state: 'running', stateReasonCode: null, stateReasonText: null, launchedAtWallMs: LONG_AGO_MS },
    },
    cloudStatus: null,
    workload: null,
  };
  return assess(evidence, DEFAULT_POLICY, monotonicMs(nowMs)).verdict;
}

/** An observer, its path to the agent, and the probe answers under way. */
export class Ear {
  readonly site: Site;
  readonly #path: LossPath;
  #answerMs = Number.POSITIVE_INFINITY;

  constructor(site: Site, path: LossPath) {
    this.site = site;
    this.#path = path;
  }

  get nextMs(): number {
    return Math.min(this.site.nextTickMs, this.#answerMs);
  }

  beat(atMs: number): void {
    if (this.#path.lost(atMs)) this.site.miss(1);
    else this.#hear(atMs);
  }

  #hear(atMs: number): void {
    this.site.hear(atMs);
    if (atMs >= this.#answerMs) this.#answerMs = Number.POSITIVE_INFINITY;
  }

  /** Does what is due at {@link nextMs}. */
  step(): void {
    const { nextTickMs, timing } = this.site;
    if (this.#answerMs <= nextTickMs) return this.#hear(this.#answerMs);
    if (this.site.tick() === 0 || this.#path.lost(nextTickMs)) return;
    if (!this.#path.lost(nextTickMs + timing.roundTripMs / 2)) this.#answerMs = nextTickMs + timing.roundTripMs;
  }
}

/**
 * Lets the ears hear the beats until a moment, in the order of time. Calls `look` after every tick.
 */
export function listenTogether(
  ears: readonly Ear[],
  beatsMs: Iterator<number>,
  untilMs: number,
  look: (nowMs: number) => void,
): void {
  let beat = beatsMs.next();
  for (;;) {
    const ear = ears.reduce((first, one) => (one.nextMs < first.nextMs ? one : first));
    const nowMs = Math.min(ear.nextMs, beat.done ? Number.POSITIVE_INFINITY : beat.value);
    if (nowMs >= untilMs) return;
    if (!beat.done && beat.value === nowMs) {
      for (const one of ears) one.beat(nowMs);
      beat = beatsMs.next();
    } else {
      ear.step();
      look(nowMs);
    }
  }
}

/**
 * True when the whole cluster said `dead` in a silence in which its first observer did.
 *
 * All three have to say it, so nothing is missed by looking only then. As losses are independent of
 * each other, the other two can be drawn after the fact: the same heartbeats, their own losses,
 * probes and ticks. They live through `beatsBefore` heartbeats first. The chance that one of them
 * loses all of these is neglected.
 */
export function clusterDied(
  silence: Silence,
  pathOf: (startMs: number) => LossPath,
  random: Random,
  timing: Timing,
  beatsBefore: number,
): boolean {
  const { deadMs, endMs, heardMs, beatsMs } = silence;
  if (deadMs === null) return false;
  const before: number[] = [heardMs];
  const interval = () => timing.intervalMs * (1 + (2 * random.next() - 1) * timing.jitterRatio);
  for (let i = 0; i < beatsBefore; i++) before.unshift((before[0] ?? heardMs) - interval());
  const startMs = (before[0] ?? heardMs) - timing.tickMs;
  const others = [2, 3].map(
    (nonce) => new Ear(new Site(nonce, startMs, random.next() * timing.tickMs, timing), pathOf(startMs)),
  );
  let died = false;
  const look = (nowMs: number) => {
    if (nowMs < deadMs) return;
    const verdicts = ['dead' as const, ...others.map(({ site }) => site.verdict)];
    died ||= clusterVerdict(verdicts, nowMs) === 'dead';
  };
  listenTogether(others, [...before, ...beatsMs].values(), endMs, look);
  return died;
}
