import type { FleetMember, FleetObserver, MemberId, WallMs } from '@understudy/shared';
import { pauseHolds } from '../../policy/pauses.ts';
import type { ClusterState } from '../../store/cluster-state.ts';
import type { Verdicts } from '../../leader/verdicts.ts';

export interface FleetRowSources {
  readonly view: Pick<ClusterState, 'records' | 'pausesInForce'>;
  readonly verdicts: Pick<Verdicts, 'of'>;
  /** The hold as `members` and `explain` show it. */
  readonly hold: (member: MemberId) => FleetMember['hold'];
}

type Opinions = FleetMember['opinions'];

function opinionsOf(
  { records }: FleetRowSources['view'],
  member: MemberId,
  observers: readonly FleetObserver[],
): Opinions {
  const said = records.opinions.get(member);
  return observers.map(({ coordinatorId }) => said?.get(coordinatorId)?.record.verdict ?? null);
}

/** One member as the fleet shows it. Reads only. */
export function fleetRow(
  { view, verdicts, hold }: FleetRowSources,
  member: MemberId,
  observers: readonly FleetObserver[],
  nowWallMs: WallMs,
): FleetMember {
  const { members, activations, intents } = view.records;
  const record = members.get(member)?.record;
  const intent = intents.get(member)?.record;
  const { verdict, reasonCode, reason, degraded, judged } = verdicts.of(member);
  const pause = view.pausesInForce(nowWallMs).find((one) => pauseHolds(one, member, nowWallMs));
  return {
    ...{ member, verdict, reasonCode, reason, degraded },
    instanceId: activations.get(member)?.record.instanceId ?? record?.instanceId ?? '',
    az: record?.az ?? '',
    sinceWallMs: judged.sinceWallMs,
    standing: judged.standing,
    hold: hold(member),
    recovery: intent?.opId ?? null,
    ...(intent && { strategy: intent.plan.strategy }),
    paused: pause?.scope ?? null,
    opinions: opinionsOf(view, member, observers),
    readinessProblems: record?.readinessProblems.length ?? 0,
  };
}

const sameRow = (one: FleetMember, other: FleetMember): boolean => JSON.stringify(one) === JSON.stringify(other);

/** Rows that are looked at again in each pass although nothing is known to have changed. */
const LOOKED_AT_AGAIN = 250;

/**
 * The rows of the fleet, kept while somebody looks. A pass makes those rows anew whose records
 * changed, and some of the others in turn, because ends of pauses and ages of judgements come with
 * time alone. So a pass costs what changed, and not the size of the fleet.
 */
export class FleetRows {
  readonly #make: (member: MemberId) => FleetMember;
  #members: readonly MemberId[] = [];
  #rows: FleetMember[] = [];
  #next = 0;

  constructor(make: (member: MemberId) => FleetMember) {
    this.#make = make;
  }

  get members(): readonly MemberId[] {
    return this.#members;
  }

  get rows(): readonly FleetMember[] {
    return this.#rows;
  }

  /** Makes every row anew, for these members, which are in alphabetical order. */
  fill(members: readonly MemberId[]): void {
    this.#members = members;
    this.#rows = members.map((member) => this.#make(member));
    this.#next = 0;
  }

  /** Returns the rows that are different from before. `dirty`: members with changed records. */
  refresh(dirty: ReadonlySet<MemberId>): { readonly index: number; readonly member: FleetMember }[] {
    const turn = Math.min(LOOKED_AT_AGAIN, this.#members.length);
    const changed: { index: number; member: FleetMember }[] = [];
    for (const [index, member] of this.#members.entries()) {
      const isTurn = (index - this.#next + this.#members.length) % this.#members.length < turn;
      const before = this.#rows[index];
      if (before === undefined || (!isTurn && !dirty.has(member))) continue;
      const row = this.#make(member);
      if (sameRow(before, row)) continue;
      this.#rows[index] = row;
      changed.push({ index, member: row });
    }
    this.#next = this.#members.length === 0 ? 0 : (this.#next + turn) % this.#members.length;
    return changed;
  }
}
