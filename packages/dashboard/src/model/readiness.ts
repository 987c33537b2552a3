import { durationText, type MemberReadiness, type ReadinessView } from '@understudy/shared/browser';

/** Members shown; the others are counted. */
const SHOWN_MAX = 20;

/** A line of the table. */
export interface ReadinessRow {
  readonly member: string;
  readonly verdict: string;
  readonly backAfter: string;
  readonly loses: string;
  readonly inTheWay: string;
  /** When its oldest fact was looked at. Null: nothing of it was. */
  readonly lookedAtWallMs: number | null;
}

export interface ReadinessTable {
  /** `1 blocked, 5 ready`. */
  readonly counts: string;
  /** The worst first. */
  readonly rows: readonly ReadinessRow[];
  readonly moreCount: number;
}

const lasting = (ms: number | null): string => (ms === null ? 'not known' : durationText(ms));

function losesOf({ rpoMs, rpoDisksLostMs, losesEverythingWithDisks }: MemberReadiness): string {
  if (rpoMs === null) return 'not known';
  const byPlan = rpoMs === 0 ? 'nothing' : `the last ${durationText(rpoMs)}`;
  if (losesEverythingWithDisks) return `${byPlan}; everything with its disks`;
  return rpoDisksLostMs === null ? byPlan : `${byPlan}; the last ${durationText(rpoDisksLostMs)} with its disks`;
}

function inTheWayOf({ blockers, missed, facts }: MemberReadiness): string {
  const open = facts.filter(({ state }) => state !== 'known').map(({ fact, state }) => `${fact} ${state}`);
  const said = [...blockers.map(({ code }) => code), ...missed.map(({ objective }) => `misses ${objective}`), ...open];
  return said.length === 0 ? '–' : [...new Set(said)].join(', ');
}

function rowOf(one: MemberReadiness): ReadinessRow {
  const looked = one.facts.flatMap(({ lookedAtWallMs }) => lookedAtWallMs ?? []);
  return {
    ...{ member: one.member, verdict: one.verdict, backAfter: lasting(one.rtoMs), loses: losesOf(one) },
    ...{ inTheWay: inTheWayOf(one), lookedAtWallMs: looked.length === 0 ? null : Math.min(...looked) },
  };
}

/** The members that most need eyes before anything fails. Null: it cannot be told now. */
export function readinessTable(view: ReadinessView | null): ReadinessTable | null {
  if (view === null) return null;
  const counts = Object.entries(view.counts).filter(([, count]) => count > 0);
  return {
    counts: counts.map(([verdict, count]) => `${count} ${verdict}`).join(', '),
    rows: view.members.slice(0, SHOWN_MAX).map(rowOf),
    moreCount: Math.max(0, view.members.length - SHOWN_MAX),
  };
}
