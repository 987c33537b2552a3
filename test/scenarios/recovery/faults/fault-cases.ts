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

/**
 * A part of them that has every kind of ill and every action: those whose place shares no factor
 * with a pattern of the list.
 */
export function sampleOf(cases: readonly FaultCase[], size: number): readonly FaultCase[] {
  if (cases.length <= size) return cases;
  const stride = cases.length / size;
  return Array.from({ length: size }, (_, index) => cases[Math.floor(index * stride)]).filter(
    (one): one is FaultCase => one !== undefined,
  );
}
