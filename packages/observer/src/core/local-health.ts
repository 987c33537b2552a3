import type { ObserverSettings } from './types.ts';
import { isHeard, MEMBER_FLAG, NO_KEY } from './columns.ts';
import type { ObserverState } from './observer-state.ts';

export interface Hearing {
  /** Members whose activated instance was heard before and that are not long dead. */
  readonly heardBefore: number;
  readonly hearsNow: number;
  /**
   * Those of them outside the zones that a person calls lost. Absent: nobody calls one lost, or
   * somebody there is heard.
   */
  readonly outside?: Pick<Hearing, 'heardBefore' | 'hearsNow'>;
}

/**
 * "Am I the deaf one?": of the agents this observer heard before, how many does it hear now?
 *
 * Who counts. A member counts from its first confirmed heartbeat until it has been `dead` for
 * `settledAfterMs` in this observer's healthy eyes. Settled deaths leave, or members that nobody
 * recovers (held, paused) would pile up and silence the observer for good. A deaf observer never
 * gets there: it abstains, so nothing becomes `dead`, so nothing settles, so it stays silent until
 * it hears again.
 *
 * When an agent counts as not heard. After the shortest suspicion time of any member, or two of its
 * own usual intervals where that is more: a group with a fast policy must not be accused while the
 * slow majority is just as silent but not yet overdue.
 *
 * From how many agents on. Half of one, two or three agents is one or two machines, and those
 * failing together (one host, one AZ, one bad deploy) is as likely as our being deaf; the rule
 * would make exactly the small fleets it should protect unrecoverable (karpenter#2134,
 * #2321). So it applies from `hearsMinimum` = 4 agents on, where "fewer than half" means three or
 * more silent at once, which is also what the mass-failure guard calls a mass. Below that, what
 * protects against a deaf observer is that others must agree, from two AZs, one of them not the
 * member's.
 */
export function hearing(state: ObserverState, fastestSuspectAfterMs: number, nowMs: number): Hearing {
  const { members, entries } = state;
  let heardBefore = 0;
  let hearsNow = 0;
  const [lost, isSaid] = [{ heardBefore: 0, hearsNow: 0, contradicts: 0 }, nowMs < state.saidLostUntilMs];
  for (let slot = 0; slot < members.count; slot++) {
    const entry = members.activeEntry[slot] as number;
    if (!isHeard(entries, entry)) continue;
    if (((members.flags[slot] as number) & MEMBER_FLAG.settled) !== 0) continue;
    // Not to hear those whose key was taken away says nothing about our ears.
    if (entries.keyId[entry] === NO_KEY) continue;
    const quietAfterMs = Math.max(fastestSuspectAfterMs, 2 * (entries.meanMs[entry] as number));
    const hears = nowMs - (entries.silentFromMs[entry] as number) < quietAfterMs ? 1 : 0;
    heardBefore++;
    hearsNow += hears;
    const flags = members.flags[slot] as number;
    if (!isSaid || (flags & MEMBER_FLAG.saidLost) === 0) continue;
    lost.heardBefore++;
    lost.hearsNow += hears;
    if ((flags & MEMBER_FLAG.saidPartlyLost) === 0) lost.contradicts += hears;
  }
  // **S** A zone that speaks is not lost as it was said to be: those who are silent there may be
  // about to come back, so the word counts for nothing.
  if (lost.heardBefore === 0 || lost.contradicts > 0) return { heardBefore, hearsNow };
  const outside = { heardBefore: heardBefore - lost.heardBefore, hearsNow: hearsNow - lost.hearsNow };
  return { heardBefore, hearsNow, outside };
}

/**
 * **S** (S11) Do so many say nothing that it may be us? Where a person calls zones lost, those
 * outside of them tell: at least half of them have to be heard. Who hears nobody there cannot tell,
 * whatever a person says.
 */
export function hearsTooFew(
  { heardBefore, hearsNow, outside }: Hearing,
  { hearsMinimum, hearsRatio }: Pick<ObserverSettings, 'hearsMinimum' | 'hearsRatio'>,
): boolean {
  if (heardBefore < hearsMinimum || hearsNow >= hearsRatio * heardBefore) return false;
  return !outside || outside.hearsNow === 0 || outside.hearsNow < hearsRatio * outside.heardBefore;
}
