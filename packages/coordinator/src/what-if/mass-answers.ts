import type { FleetMember, GuardInput } from '../judge/guard-input.ts';
import { type MassAnswer, massGates } from '../judge/guard-mass.ts';

/**
 * What the gates about many failures say, asked once for all members of whom they say the same:
 * they count the whole fleet, and with every member of a large one that would hold the leader up.
 * For one fleet and the recoveries of one moment.
 */
export class MassAnswers {
  readonly #failed: ReadonlyMap<string, FleetMember>;
  readonly #answers = new Map<string, MassAnswer>();

  constructor(fleet: readonly FleetMember[]) {
    this.#failed = new Map(fleet.filter((one) => one.failedSinceWallMs !== null).map((one) => [one.member, one]));
  }

  of(input: GuardInput): MassAnswer {
    const own = this.#failed.get(input.member);
    // One that is not counted among the failed, or elsewhere, changes the tally by itself.
    if (own?.az !== input.az) return massGates(input);
    const isSilent = input.quorum !== null;
    const key = `${own.az} ${own.failedSinceWallMs} ${input.policy.guard.whenZoneLost} ${isSilent}`;
    const answer = this.#answers.get(key) ?? massGates(input);
    this.#answers.set(key, answer);
    return answer;
  }
}
