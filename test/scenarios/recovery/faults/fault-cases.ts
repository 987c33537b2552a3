import type { CallEvent, Fault } from '@understudy/cloud-sim';

/** One call of a recovery, and what befalls it. */
export interface FaultCase {
  readonly name: string;
  readonly fault: Fault;
}

const isRead = (action: string): boolean => /^(?:\w+:)?(?:Describe|List|Get)/.test(action);

/** Late landings within a step, after its deadline, and after the whole recovery is over. */
const LATE_MS = [8_000, 90_000, 900_000] as const;
const STALE_MS = [4_000, 30_000] as const;

type Ill = Pick<Fault, 'kind' | 'times' | 'code' | 'httpStatus' | 'delayMs'>;

const BOTH: readonly Ill[] = [
  { kind: 'throttle', times: 2 },
  { kind: 'error', code: 'InternalError', httpStatus: 500, times: 2 },
  { kind: 'timeout-before' },
];
const OF_WRITES: readonly Ill[] = [
  { kind: 'timeout-after-success' },
  ...LATE_MS.map((delayMs): Ill => ({ kind: 'late-landing', delayMs })),
];
const OF_READS: readonly Ill[] = STALE_MS.map((delayMs) => ({ kind: 'stale-read', delayMs, times: 5 }));

const OCCURRENCES_MAX = 4;

/** A call that is made often is struck the first time, the last time, and between. */
function occurrencesOf(count: number): readonly number[] {
  if (count <= OCCURRENCES_MAX) return Array.from({ length: count }, (_, index) => index);
  return [0, Math.floor(count / 3), Math.floor((2 * count) / 3), count - 1];
}

const nameOf = (action: string, nth: number, { kind, delayMs }: Ill): string =>
  `${kind}${delayMs === undefined ? '' : ` of ${delayMs / 1_000} s`} at ${action} #${nth + 1}`;

/**
 * Each call that an undisturbed recovery made, with each ill that can befall a call of its kind:
 * throttled, answered 5xx, lost before or after it took effect, landing late; a read is stale.
 */
export function faultCasesOf(calls: readonly CallEvent[]): readonly FaultCase[] {
  const counts = new Map<string, number>();
  for (const { action } of calls) counts.set(action, (counts.get(action) ?? 0) + 1);
  return [...counts].flatMap(([action, count]) =>
    occurrencesOf(count).flatMap((nth) =>
      [...BOTH, ...(isRead(action) ? OF_READS : OF_WRITES)].map((ill) => ({
        name: nameOf(action, nth, ill),
        fault: { id: 'ill', action, afterCalls: nth, ...ill },
      })),
    ),
  );
}

/** The action whose double effect costs most: it has every ill in every sample. */
export const STRUCK_BY_ALL = 'RunInstances';

/** What befalls the call, whichever call that is. */
export const illOf = ({ fault }: FaultCase): string => `${fault.kind} ${fault.delayMs ?? ''}`.trim();

/** The cases by a word of theirs, in the order in which the words come first. */
function groupedBy(cases: readonly FaultCase[], wordOf: (one: FaultCase) => string): readonly FaultCase[][] {
  const groups = new Map<string, FaultCase[]>();
  for (const one of cases) groups.set(wordOf(one), [...(groups.get(wordOf(one)) ?? []), one]);
  return [...groups.values()];
}

/** The one whose word was taken least often so far, the first of several. */
function rarest(
  cases: readonly FaultCase[],
  taken: readonly FaultCase[],
  wordOf: (one: FaultCase) => string,
): readonly FaultCase[] {
  const timesOf = (one: FaultCase): number => taken.filter((other) => wordOf(other) === wordOf(one)).length;
  return [...cases].sort((a, b) => timesOf(a) - timesOf(b)).slice(0, 1);
}

/**
 * A part of them that has every action, every ill, and {@link STRUCK_BY_ALL} with every ill: an
 * action gets the ill that was taken least often so far, one after the other at its first, its
 * last, or another call. Pairs of an action and an ill are not all in it.
 */
export function sampleOf(cases: readonly FaultCase[]): readonly FaultCase[] {
  const isPivot = ({ fault }: FaultCase): boolean => fault.action === STRUCK_BY_ALL;
  const taken: FaultCase[] = groupedBy(cases.filter(isPivot), illOf).flatMap((group) => group.slice(0, 1));
  const others = cases.filter((one) => !isPivot(one));
  for (const [index, ofAction] of groupedBy(others, ({ fault }) => fault.action).entries()) {
    const calls = groupedBy(ofAction, ({ fault }) => String(fault.afterCalls));
    taken.push(...rarest(calls[index % calls.length] ?? [], taken, illOf));
  }
  for (const ofIll of groupedBy(others, illOf))
    if (!taken.some((one) => ofIll.some((other) => illOf(other) === illOf(one))))
      taken.push(...rarest(ofIll, taken, ({ fault }) => fault.action));
  return taken;
}
