import { type FleetMember, type FleetView, recoveryWords, type StatusView } from '@understudy/shared/browser';
import { isWell } from './fleet.ts';

export type Tone = 'well' | 'busy' | 'warning' | 'bad' | 'unknown';

export interface Headline {
  readonly tone: Tone;
  readonly text: string;
  /** What else is said of the cluster, in a few words each. */
  readonly facts: readonly string[];
}

const NAMED_MAX = 3;

const verb = (count: number, one: string, many: string): string => (count === 1 ? one : many);

/** `db/primary is dead`, `db/a and db/b are dead`, `12 of 80 members are dead`. */
function said(members: readonly FleetMember[], all: number, one: string, many: string): string {
  if (members.length > NAMED_MAX) return `${members.length} of ${all} members ${many}`;
  const names = members.map(({ member }) => member);
  const last = names.at(-1) ?? '';
  const list = names.length < 2 ? last : `${names.slice(0, -1).join(', ')} and ${last}`;
  return `${list} ${verb(members.length, one, many)}`;
}

interface Said {
  readonly one: string;
  readonly many: string;
}

const RULES: readonly {
  readonly tone: Tone;
  /** The same of all of them, or of each by its own way. */
  readonly says: Said | ((member: FleetMember) => Said);
  readonly fits: (member: FleetMember) => boolean;
}[] = [
  {
    tone: 'bad',
    says: { one: 'is dead and not being replaced', many: 'are dead and not being replaced' },
    fits: ({ verdict, recovery, hold }) => verdict === 'dead' && recovery === null && hold === null,
  },
  { tone: 'bad', says: { one: 'is held', many: 'are held' }, fits: ({ hold }) => hold !== null },
  {
    tone: 'busy',
    says: ({ strategy = '' }) => recoveryWords(strategy),
    fits: ({ recovery, hold }) => recovery !== null && hold === null,
  },
  {
    tone: 'warning',
    says: { one: 'is suspect', many: 'are suspect' },
    fits: ({ verdict, recovery, hold }) => verdict === 'suspect' && recovery === null && hold === null,
  },
  {
    tone: 'unknown',
    says: { one: 'is unknown', many: 'are unknown' },
    fits: ({ verdict, recovery, hold }) => verdict === 'unknown' && recovery === null && hold === null,
  },
  {
    tone: 'warning',
    says: { one: 'is degraded', many: 'are degraded' },
    fits: ({ verdict, degraded, recovery }) => verdict === 'alive' && degraded && recovery === null,
  },
];

/** The one line that is read first. Its worst part comes first, and decides its tone. */
export function headline(view: FleetView, status: StatusView | null): Headline {
  const { members } = view;
  const facts = factsOf(view, status);
  const found = RULES.flatMap(({ tone, says, fits }) => {
    const sayings = Map.groupBy(members.filter(fits), (one) => (typeof says === 'function' ? says(one) : says));
    return [...sayings].map(([{ one, many }, fitting]) => ({ tone, text: said(fitting, members.length, one, many) }));
  });
  const leads = view.observers.some(({ leader }) => leader);
  if (!leads) found.unshift({ tone: 'bad', text: 'Nobody leads: nothing is judged or replaced' });
  const [worst] = found;
  if (worst) return { tone: worst.tone, text: listed(found.map(({ text }) => text)), facts };
  if (members.length === 0) return { tone: 'unknown', text: 'No members are enrolled yet', facts };
  const left = members.filter(({ verdict }) => verdict === 'left').length;
  const notReady = members.filter((one) => one.verdict !== 'left' && !isWell(one)).length;
  const text = aliveText(members.length, left);
  if (notReady > 0) return { tone: 'warning', text: `${text}; ${notReady} could not be replaced now`, facts };
  return { tone: (status?.problems.length ?? 0) > 0 ? 'warning' : 'well', text, facts };
}

/** Nobody is counted as alive who was stopped on purpose. */
function aliveText(all: number, left: number): string {
  if (left > 0)
    return `${all - left} of ${all} members ${verb(all - left, 'is', 'are')} alive, ${left} stopped on purpose`;
  return all === 1 ? 'The one member is alive' : `All ${all} members are alive`;
}

const PARTS_MAX = 3;

/** The worst parts. The others are on the page, and only counted here. */
function listed(parts: readonly string[]): string {
  const more = parts.length - PARTS_MAX;
  const shown = parts.slice(0, PARTS_MAX).join('; ');
  return more > 0 ? `${shown}; ${more} more ${verb(more, 'concern', 'concerns')}` : shown;
}

function factsOf(view: FleetView, status: StatusView | null): readonly string[] {
  const leader = view.observers.find((one) => one.leader);
  const answering = view.observers.filter(
    ({ self, answeredAgoMs, problem }) => self || (answeredAgoMs !== null && problem === null),
  );
  const term = status?.leader ? `, term ${status.leader.term}` : '';
  const pauses = status?.pauses.length ?? 0;
  return [
    leader ? `${leader.coordinatorId} leads${term}` : 'no leader',
    `${answering.length} of ${view.observers.length} coordinators answer`,
    view.store.fresh ? 'etcd is fresh' : 'etcd is not reached',
    pauses === 0 ? 'nothing paused' : `${pauses} ${verb(pauses, 'pause', 'pauses')} in force`,
  ];
}
