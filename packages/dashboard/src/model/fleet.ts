import type { FleetDelta, FleetMember, FleetView } from '@understudy/shared/browser';

/** The fleet as last told, with where each member stands in it. */
export interface Fleet {
  readonly view: FleetView;
  readonly places: ReadonlyMap<string, number>;
}

export const fleetOf = (view: FleetView): Fleet => ({
  view,
  places: new Map(view.members.map(({ member }, index) => [member, index])),
});

/** The fleet after an update. What the update does not name is shared with the fleet before. */
export function withDelta(fleet: Fleet, { changed, ...head }: FleetDelta): Fleet {
  const members = changed.length === 0 ? fleet.view.members : [...fleet.view.members];
  for (const { index, member } of changed) members[index] = member;
  return { view: { ...head, members }, places: fleet.places };
}

/** What one observer hears of a member. */
export interface HeardCell {
  readonly coordinatorId: string;
  readonly az: string;
  /** Null: never heard, or the observer does not answer. */
  readonly ageMs: number | null;
  readonly phi: number | null;
}

const known = (value: number | undefined): number | null => (value === undefined || value < 0 ? null : value);

/** One cell for each observer. */
export function heardCells({ view, places }: Fleet, member: string): readonly HeardCell[] {
  const place = places.get(member) ?? -1;
  return view.observers.map(({ coordinatorId, az }, observer) => {
    const ageDs = known(view.heard.ageDs[observer]?.[place]);
    const phiTenths = known(view.heard.phiTenths[observer]?.[place]);
    return {
      ...{ coordinatorId, az },
      ageMs: ageDs === null ? null : ageDs * 100,
      phi: phiTenths === null ? null : phiTenths / 10,
    };
  });
}

/**
 * φ for one line of a chart: of the observer that hears it best, as one that hears it is enough for
 * life. Null: no observer has a figure.
 */
export function lowestPhi(cells: readonly HeardCell[]): number | null {
  const figures = cells.flatMap(({ phi }) => (phi === null ? [] : [phi]));
  return figures.length === 0 ? null : Math.min(...figures);
}

export interface Group {
  readonly name: string;
  readonly members: readonly FleetMember[];
  /** Members that are alive, and nothing is wrong with them. */
  readonly well: number;
}

export const groupOf = (member: string): string => member.slice(0, member.indexOf('/'));
export const nameOf = (member: string): string => member.slice(member.indexOf('/') + 1);

/** True where there is nothing to look at. */
export const isWell = (one: FleetMember): boolean =>
  one.verdict === 'alive' && !one.degraded && one.hold === null && one.recovery === null && one.readinessProblems === 0;

/** How much a member needs eyes: the larger, the earlier it is shown. */
export function concern(one: FleetMember): number {
  if (one.recovery !== null) return 5;
  if (one.verdict === 'dead') return 6;
  if (one.hold !== null) return 4;
  if (one.verdict === 'suspect') return 3;
  if (one.verdict === 'unknown') return 2;
  return isWell(one) ? 0 : 1;
}

/**
 * Groups that need eyes come first, and so do members in them; equals stay in alphabetical order,
 * so that nothing jumps about while all is well.
 */
export function groupsOf(members: readonly FleetMember[]): readonly Group[] {
  const byName = Map.groupBy(members, ({ member }) => groupOf(member));
  const groups = [...byName].map(([name, all]) => ({
    name,
    members: all.toSorted((one, other) => concern(other) - concern(one)),
    well: all.filter(isWell).length,
  }));
  const worst = ({ members: [first] }: Group): number => (first ? concern(first) : 0);
  return groups.toSorted((one, other) => worst(other) - worst(one) || (one.name < other.name ? -1 : 1));
}

/** Every word of the search has to occur in what the tile shows. */
export function matches(one: FleetMember, search: string): boolean {
  const shown = [one.member, one.instanceId, one.az, ...labelsOf(one), one.hold?.reason ?? ''].join(' ').toLowerCase();
  return search
    .toLowerCase()
    .split(/\s+/)
    .every((word) => shown.includes(word));
}

/** The words on a tile, the verdict first. */
export function labelsOf(one: FleetMember): readonly string[] {
  return [
    one.verdict,
    ...(one.recovery === null ? [] : ['recovering']),
    ...(one.hold === null ? [] : ['held']),
    ...(one.paused === null ? [] : ['paused']),
    ...(one.degraded ? ['degraded'] : []),
    ...(one.readinessProblems === 0 ? [] : ['not ready']),
  ];
}
