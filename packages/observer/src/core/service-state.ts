import {
  monotonicMs,
  type MonotonicMs,
  type ProbeCode,
  probeName,
  type ProbeReport,
  type ServiceProbe,
} from '@understudy/shared';
import type { ServiceOpinion } from './service-types.ts';

/** What is known of one probe of one member; changed in place. */
export interface ProbeRow {
  nextAtMs: number;
  underWay: boolean;
  state: 'unknown' | 'passing' | 'failing';
  /** Looks in a row with the same outcome: above 0 passes, below 0 failures. */
  streak: number;
  streakSinceMs: number;
  /**
   * Since when `state` holds: failing from the first failure of its run, passing from the look that
   * settled it.
   */
  sinceMs: number;
  /** The look that made it fail gave this one. A reason that changes while it fails is no news. */
  reason: string;
  passedBefore: boolean;
  expiresSoon: boolean;
  /** The last look that counted. */
  provenAtMs: number;
}

/**
 * Service probes of one member's activated instance. Only members whose group has probes have one.
 */
export interface ServiceState {
  /** Unique: an order that belongs to another instance or another list of probes is known by it. */
  readonly epoch: number;
  readonly instanceId: string;
  readonly probes: readonly ServiceProbe[];
  readonly rows: readonly ProbeRow[];
  answeredHoldMs: number;
}

const newRow = (nextAtMs: number): ProbeRow => ({
  nextAtMs,
  underWay: false,
  state: 'unknown',
  streak: 0,
  streakSinceMs: 0,
  sinceMs: 0,
  reason: '',
  passedBefore: false,
  expiresSoon: false,
  provenAtMs: Number.NEGATIVE_INFINITY,
});

export function newServiceState(
  from: Pick<ServiceState, 'epoch' | 'instanceId' | 'probes' | 'answeredHoldMs'>,
  nowMs: number,
): ServiceState {
  const { epoch, instanceId, probes, answeredHoldMs } = from;
  // Spread over one interval: members of a group that is configured at once are not all looked at
  // together.
  const rows = probes.map((probe, index) => newRow(nowMs + probe.intervalMs * spread(epoch, index)));
  return { epoch, instanceId, probes, rows, answeredHoldMs };
}

/**
 * A number of [0, 1) that is always the same for the same two: core has no randomness, and needs
 * none to spread looks.
 */
export function spread(a: number, b: number): number {
  let x = Math.imul(a ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(b + 1, 0xc2b2ae35);
  x = Math.imul(x ^ (x >>> 15), 0x2c1b3c6d);
  return ((x ^ (x >>> 13)) >>> 0) / 4_294_967_296;
}

export const sameProbes = (a: readonly ServiceProbe[], b: readonly ServiceProbe[]): boolean =>
  a === b || JSON.stringify(a) === JSON.stringify(b);

const reasonOf = ({ code, httpStatus }: ProbeReport): string =>
  httpStatus === null || code !== 'HttpStatus' ? code : `${code} ${httpStatus}`;

const UNPROVEN: readonly ProbeCode[] = ['NotSent'];

/**
 * One look that was carried out. A look that could not be made proves nothing, and changes nothing.
 */
export function noteLook(row: ProbeRow, probe: ServiceProbe, report: ProbeReport, nowMs: number): void {
  if (UNPROVEN.includes(report.code)) return;
  const passes = report.code === 'Passing';
  const goesOn = passes ? row.streak > 0 : row.streak < 0;
  if (!goesOn) row.streakSinceMs = nowMs;
  row.streak = (goesOn ? row.streak : 0) + (passes ? 1 : -1);
  row.provenAtMs = nowMs;
  if (passes) row.expiresSoon = report.expiresSoon;
  if (passes && row.state !== 'passing' && row.streak >= probe.rise) {
    Object.assign(row, { state: 'passing', sinceMs: nowMs, passedBefore: true });
  } else if (!passes && row.state !== 'failing' && -row.streak >= probe.fall) {
    Object.assign(row, { state: 'failing', sinceMs: row.streakSinceMs, reason: reasonOf(report) });
  }
}

/**
 * While we do not trust ourselves: what we held against a service is taken back, and has to be
 * shown again from the start.
 */
export function withdraw(state: ServiceState): void {
  for (const row of state.rows) {
    if (row.streak < 0) row.streak = 0;
    if (row.state === 'failing') row.state = 'unknown';
  }
}

/** An opinion rests on looks no older than this. */
export const staleAfterMs = (probe: ServiceProbe): number => 3 * probe.intervalMs + 30_000;

/** What all looks say together: failing when one fails, passing when all pass, else nothing. */
export function serviceOpinionOf(state: ServiceState, nowMs: number): ServiceOpinion | null {
  const known = state.rows.map((row, index) => {
    const probe = state.probes[index] as ServiceProbe;
    return { row, probe, counts: nowMs - row.provenAtMs < staleAfterMs(probe) };
  });
  const warning = state.rows.some((row) => row.expiresSoon) ? 'CertificateExpiresSoon' : null;
  const failing = known.find(({ row, counts }) => counts && row.state === 'failing');
  if (failing) {
    const { row, probe } = failing;
    const { reason, passedBefore, sinceMs } = row;
    return {
      state: 'failing',
      probe: probeName(probe),
      reason,
      sinceMs: sinceMs as MonotonicMs,
      passedBefore,
      warning,
    };
  }
  if (!known.every(({ row, counts }) => counts && row.state === 'passing')) return null;
  const sinceMs = monotonicMs(Math.max(...state.rows.map((row) => row.sinceMs)));
  return { state: 'passing', probe: '', reason: 'Passing', sinceMs, passedBefore: true, warning };
}

export const sameServiceOpinion = (a: ServiceOpinion | null, b: ServiceOpinion | null): boolean =>
  a === b || JSON.stringify(a) === JSON.stringify(b);
