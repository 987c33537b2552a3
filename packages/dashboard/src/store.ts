import { computed, signal } from '@preact/signals';
import type { FleetDelta, FleetMember, FleetView, HistoryRecord, StatusView } from '@understudy/shared/browser';
import { history, type Session } from './adapters/api.ts';
import { monotonicMs } from './adapters/clock.ts';
import type { StreamEvent } from './adapters/fleet-stream.ts';
import { applyTheme, type Theme } from './adapters/theme.ts';
import { type Fleet, fleetOf, heardCells, lowestPhi, withDelta } from './model/fleet.ts';
import { freshness } from './model/freshness.ts';
import { headline } from './model/headline.ts';
import { PhiSamples } from './model/phi-samples.ts';

/**
 * What the page knows. Signals that change every second (`fleet`, `now`) are read by small parts of
 * the page only; `members` changes when a row does.
 */
export const fleet = signal<Fleet | null>(null);
export const members = signal<readonly FleetMember[]>([]);
export const status = signal<StatusView | null>(null);
/** Ended recoveries, newest first. */
export const past = signal<readonly HistoryRecord[]>([]);
/** `unknown`: not asked yet. Null: nobody is logged in. */
export const session = signal<Session | null | 'unknown'>('unknown');
export const theme = signal<Theme>(applyTheme());
export const search = signal('');

const toldAtMs = signal<number | null>(null);
const now = signal(monotonicMs());

export const freshnessNow = computed(() => freshness(fleet.value?.view ?? null, toldAtMs.value, now.value));
export const isOld = computed(() => freshnessNow.value.kind === 'gone');

/** Now, by the clock of the coordinator that answers: all moments on the page are by that clock. */
export const serverNowMs = computed(() => {
  const at = fleet.value?.view.atWallMs ?? 0;
  return at + (toldAtMs.value === null ? 0 : now.value - toldAtMs.value);
});

const headlineOf = computed(() => {
  const view = fleet.value?.view;
  return view ? headline(view, status.value) : null;
});
let shownHeadline: ReturnType<typeof headline> | null = null;
/** Keeps its identity while its words are the same, so that what shows it does nothing. */
export const headlineNow = computed(() => {
  const next = headlineOf.value;
  if (JSON.stringify(next) !== JSON.stringify(shownHeadline)) shownHeadline = next;
  return shownHeadline;
});

export const phiSamples = new PhiSamples();
/** Called after what is heard changed, once a second. They patch cells, and render nothing. */
export const heardListeners = new Set<(fleet: Fleet) => void>();

export const tick = (): void => {
  now.value = monotonicMs();
};

function show(next: Fleet): void {
  toldAtMs.value = monotonicMs();
  now.value = toldAtMs.value;
  fleet.value = next;
  if (next.view.members !== members.peek()) members.value = next.view.members;
  for (const { member } of next.view.members) phiSamples.note(member, lowestPhi(heardCells(next, member)));
  for (const listener of heardListeners) listener(next);
}

/** Takes what the stream says. */
export function take({ event, text }: StreamEvent): void {
  const told: unknown = JSON.parse(text);
  if (event === 'status') return takeStatus(told as StatusView);
  if (event === 'fleet') {
    const next = fleetOf(told as FleetView);
    phiSamples.keepOnly(next.places);
    return show(next);
  }
  const before = fleet.peek();
  if (event === 'delta' && before) show(withDelta(before, told as FleetDelta));
}

/** All that is known, as events: for another tab. */
export function everything(): readonly StreamEvent[] {
  const known = fleet.peek();
  const said = status.peek();
  return [
    ...(said ? [{ event: 'status', text: JSON.stringify(said) }] : []),
    ...(known ? [{ event: 'fleet', text: JSON.stringify(known.view) }] : []),
  ];
}

const openIds = (view: StatusView | null): string => (view?.recoveries ?? []).map(({ opId }) => opId).join();

function takeStatus(next: StatusView): void {
  const before = status.peek();
  status.value = next;
  if (before === null || openIds(before) !== openIds(next)) void readPast();
}

const PAST = 200;

/** Reads the history anew. Without an answer the one before stays. */
export async function readPast(): Promise<void> {
  try {
    past.value = await history(PAST);
  } catch {
    // The stream says that nobody answers.
  }
}
