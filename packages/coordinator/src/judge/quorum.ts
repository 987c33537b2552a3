import type { Assessment, EvidenceItem, MemberEvidence, ObserverOpinion, Quorum } from './evidence.ts';
import type { GuardInput } from './guard-input.ts';
import { PROBE_ANSWERED } from './probe-answers.ts';

const VOTES: readonly string[] = ['alive', 'suspect', 'dead'];

/** Why an opinion does not count, or `null` when it does. */
export function abstentionOf(evidence: MemberEvidence, opinion: ObserverOpinion): string | null {
  if (!evidence.observers.some((live) => live.coordinatorId === opinion.observer)) return 'has no live presence record';
  if (opinion.instanceId !== evidence.instanceId) return `speaks of ${opinion.instanceId}`;
  return VOTES.includes(opinion.verdict) ? null : `abstains (${opinion.reason})`;
}

/**
 * Counts the observers that vote and those that hear it, and says whether the silent ones are
 * enough (S10).
 */
export function countVotes(evidence: MemberEvidence): Quorum {
  const votes = evidence.opinions.filter((opinion) => abstentionOf(evidence, opinion) === null);
  const voting = votes.map((vote) => vote.observer);
  const dead = votes.filter((vote) => vote.verdict === 'dead');
  // The AZ comes from the live presence record, not from an opinion.
  const zones = [...new Set(dead.map((vote) => azOf(evidence, vote)))];
  const outsideZone = zones.some((az) => az !== evidence.az);
  const silentEverywhere = votes.length > 0 && dead.length === votes.length;
  return {
    voting,
    abstaining: evidence.observers.map((live) => live.coordinatorId).filter((id) => !voting.includes(id)),
    hearing: votes.filter((vote) => vote.verdict === 'alive').map((vote) => vote.observer),
    silent: dead.map((vote) => vote.observer),
    zones,
    outsideZone,
    requirement: evidence.requirement,
    silentEverywhere,
    met: silentEverywhere && areEnough(evidence, dead),
  };
}

/**
 * Enough observers, in enough zones, one of them outside the member's (S). That many must agree
 * before anything is held against a member.
 */
export function areEnough(evidence: MemberEvidence, all: readonly ObserverOpinion[]): boolean {
  const { minimumObservers, minimumZones } = evidence.requirement;
  const known = new Set(evidence.observers.flatMap(({ coordinatorId, az }) => (az === null ? [] : [coordinatorId])));
  // **S** Who they are and where cannot be told of the others.
  const agreeing = all.filter((vote) => known.has(vote.observer));
  const zones = new Set(agreeing.map((vote) => azOf(evidence, vote)));
  const outsideZone = [...zones].some((az) => az !== evidence.az);
  return agreeing.length >= minimumObservers && zones.size >= minimumZones && (outsideZone || minimumZones <= 1);
}

const azOf = (evidence: MemberEvidence, opinion: ObserverOpinion): string =>
  evidence.observers.find((live) => live.coordinatorId === opinion.observer)?.az ?? opinion.az;

export function opinionEvidence(evidence: MemberEvidence): EvidenceItem[] {
  return evidence.opinions.map((opinion) => {
    const why = abstentionOf(evidence, opinion);
    const sinceMs = evidence.wallNowMs - opinion.sinceWallMs;
    const source = `observer ${opinion.observer}`;
    const ageMs = Number.isFinite(sinceMs) ? Math.max(0, sinceMs) : null;
    const base = { source, freshForMs: null };
    if (why !== null) return { ...base, text: `${why}: does not count`, ageMs, weight: 'neutral' };
    if (opinion.verdict === 'alive')
      return { ...base, text: `hears it (${opinion.az})`, ageMs: heardAgo(evidence, opinion), weight: 'veto' };
    const text = `${opinion.verdict}: ${opinion.reason} (${opinion.az})`;
    return { ...base, text, ageMs, weight: opinion.reason === PROBE_ANSWERED ? 'against-dead' : 'for-dead' };
  });
}

function heardAgo(evidence: MemberEvidence, opinion: ObserverOpinion): number | null {
  return opinion.lastHeardWallMs === null ? null : Math.max(0, evidence.wallNowMs - opinion.lastHeardWallMs);
}

/**
 * The quorum as the guard is told. Null where the member is not judged by its silence: it is
 * degraded, its services have been unreachable for too long, or it is not silent everywhere (only
 * `explain` asks then).
 */
export function guardQuorum({ act, quorum, reasonCode }: Assessment, az: string): GuardInput['quorum'] {
  if (
    reasonCode === 'DegradedTooLong' ||
    reasonCode === 'ServiceUnreachableTooLong' ||
    reasonCode === 'OperatorAsked' ||
    (!act && !quorum.silentEverywhere)
  )
    return null;
  const { minimumObservers, minimumZones } = quorum.requirement;
  const outside = minimumZones > 1 ? `, one outside ${az}` : '';
  return {
    met: quorum.met,
    text: `${quorum.silent.length} observers in ${quorum.zones.length} zones`,
    limit: `at least ${minimumObservers} in ${minimumZones} zones${outside}`,
  };
}
