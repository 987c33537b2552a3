import {
  commandsFor,
  type ExplainView,
  type HoldRecord,
  type MemberId,
  type RungView,
  WAYS_OUT,
} from '@understudy/shared';
import { strayTexts } from '@understudy/recovery';
import type { Explanation } from '../judge/explain.ts';
import type { GateResult } from '../judge/guard-input.ts';
import type { VerdictChanges } from '../judge/verdict-changes.ts';
import type { Judgement } from './assessor.ts';
import { rungViews } from './rung-views.ts';
import type { KnownLeader, LeadershipView } from '../store/leadership-view.ts';
import type { ClusterState } from '../store/cluster-state.ts';
import type { Verdict } from './verdicts.ts';

/** A fresh judgement of one member and what follows from it. */
export interface Explained {
  readonly judgement: Judgement;
  readonly explanation: Explanation;
  /** The ways of its ladder, as they would be taken now. Empty: it has none, or none is needed. */
  readonly rungs: readonly RungView[];
}

export interface ExplainSources {
  readonly coordinatorId: string;
  readonly view: ClusterState;
  readonly leadership: LeadershipView;
  readonly changes: VerdictChanges;
  readonly wallNowMs: number;
  /** null where it is not judged: no activation, an open recovery, an unreadable record. */
  readonly explained: Explained | null;
  /** As every face shows it. */
  readonly verdict: Verdict;
  /** null: nobody leads, or we cannot tell. */
  readonly leader: KnownLeader | null;
  readonly ownView: ExplainView['ownView'];
  /** Datagrams that claim to be it and are not believed, in words; null: none lately. */
  readonly refused: string | null;
  /** What is odd about the authentic heartbeats we hear for it, a sentence each. */
  readonly unexpected: readonly string[];
  readonly hold: ExplainView['hold'];
  readonly console: ExplainView['console'];
  /** Whether its serve lease would be counted on, in words; null: nobody asks for one. */
  readonly serveLease: string | null;
  /** What was begun for it while it is suspect. */
  readonly prepared: readonly { readonly text: string; readonly ageMs: number | null }[];
  /** Who has stopped, started or ended its instances, as CloudTrail told this process. */
  readonly deeds: readonly string[];
  /** Why etcd takes no writes now: nothing can be decided meanwhile; null while it does. */
  readonly storeTrouble: string | null;
}

/**
 * Gates whose answer rests on records in etcd alone: a follower knows them as well as the leader.
 */
const KNOWN_TO_ALL: ReadonlySet<GateResult['gate']> = new Set([
  'Paused',
  'RecordUnreadable',
  'NotReady',
  'MaintenanceWindow',
  'Flapping',
  'Cooldown',
  'GroupConcurrency',
  'BudgetExhausted',
]);

const UNKNOWN_TO_FOLLOWERS = [
  'what EC2 says (state, status checks, events): only the leader asks',
  'what would flip the verdict, and when it is looked at again',
  'the gates that need the fleet, the listing or EC2 (mass, zone, claims, protection, boot grace, quorum)',
];

const rounded = (ms: number | null): number | null => (ms === null ? null : Math.round(ms));

/**
 * `GET /v1/members/<group>/<name>/explain` from what this process knows; null when there is no such
 * member. Pure.
 */
export function explainView(member: MemberId, sources: ExplainSources): Omit<ExplainView, 'openRecovery'> | null {
  const { view, leadership, changes, coordinatorId, explained } = sources;
  const record = view.records.members.get(member)?.record;
  const activation = view.records.activations.get(member)?.record;
  if (!record && !activation && !view.isBlocked(member)) return null;
  const term = leadership.current();
  const base = {
    member,
    instanceId: activation?.instanceId ?? null,
    incarnation: activation?.incarnation ?? null,
    az: record?.az ?? '',
    atWallMs: sources.wallNowMs,
    answeredBy: { coordinatorId, leader: term !== null, term: term?.number ?? null },
    hold: sources.hold,
    recovery: view.records.intents.get(member)?.record.opId ?? null,
    console: sources.console,
    judged: sources.verdict.judged,
    ownView: sources.ownView,
    readinessProblems: record?.readinessProblems ?? [],
    changes: [...changes.of(member)],
  };
  const judged = explained ? (term ? asLeader(explained) : asFollower(explained, sources)) : unjudged(member, sources);
  const evidence = [
    ...judged.evidence,
    ...leaseEvidence(sources.serveLease),
    ...preparedEvidence(sources.prepared),
    ...deedEvidence(sources.deeds),
    ...refusedEvidence(sources.refused),
    ...unexpectedEvidence(sources.unexpected),
    ...storeEvidence(sources.storeTrouble),
    ...strayEvidence(strayTextsOf(member, sources)),
  ];
  const intent = view.records.intents.get(member)?.record;
  const rungs = intent ? rungViews(intent.plan.ladder ?? [], intent.plan.policy) : (explained?.rungs ?? []);
  return {
    ...{ ...base, ...judged, decision: decisionWhile(sources.storeTrouble, judged.decision), evidence },
    ...(rungs.length > 0 && { rungs: [...rungs] }),
  };
}

/**
 * Decides nothing about the verdict; it says what a recovery could count on if EC2 cannot be seen
 * to stop the instance.
 */
const leaseEvidence = (text: string | null): ExplainView['evidence'] =>
  text === null ? [] : [{ source: 'serve lease', text, ageMs: null, freshForMs: null, weight: 'neutral' }];

/** It decides nothing: its recovery would only begin sooner. */
const preparedEvidence = (prepared: ExplainSources['prepared']): ExplainView['evidence'] =>
  prepared.map(({ text, ageMs }) => ({
    ...{ source: 'preparation', text, ageMs: ageMs === null ? null : rounded(ageMs) },
    ...{ freshForMs: null, weight: 'neutral' },
  }));

/** It decides nothing: it comes minutes later, and anybody might have made it up. */
const deedEvidence = (texts: readonly string[]): ExplainView['evidence'] =>
  texts.map((text) => ({ source: 'api call', text, ageMs: null, freshForMs: null, weight: 'neutral' }));

const storeEvidence = (trouble: string | null): ExplainView['evidence'] =>
  trouble === null ? [] : [{ source: 'etcd', text: trouble, ageMs: null, freshForMs: null, weight: 'neutral' }];

/**
 * "Nothing to do" is not true of a store that takes no writes: what should be done would not be
 * known, and could not.
 */
function decisionWhile(trouble: string | null, decision: ExplainView['decision']): ExplainView['decision'] {
  if (trouble === null || decision.kind === 'recovering') return decision;
  // Observers that cannot write have no opinion for anybody else: the store is why.
  if (decision.kind === 'hold' && decision.reason !== 'ObserverUnwell') return decision;
  return { kind: 'hold', reason: 'ObserverUnwell', text: `${trouble}: nothing is decided`, untilWallMs: null };
}

/** Decides nothing: it is of what the last recovery has moved. */
const strayEvidence = (texts: readonly string[]): ExplainView['evidence'] =>
  texts.map((text) => ({ source: 'identity', text, ageMs: null, freshForMs: null, weight: 'neutral' }));

function strayTextsOf(member: MemberId, { view: { records } }: ExplainSources): readonly string[] {
  const active = records.activations.get(member)?.record.instanceId;
  const history = [...(records.history.get(member)?.values() ?? [])];
  return history.flatMap(({ record }) => (record.newInstanceId === active ? strayTexts(record) : []));
}

/** Decides nothing: anybody can send those. */
const refusedEvidence = (text: string | null): ExplainView['evidence'] =>
  text === null ? [] : [{ source: 'refused datagrams', text, ageMs: null, freshForMs: null, weight: 'neutral' }];

/**
 * Decides nothing by itself: only the activated instance is judged, and two agents on it are a hold
 * of their own.
 */
const unexpectedEvidence = (texts: readonly string[]): ExplainView['evidence'] =>
  texts.map((text) => ({ source: 'odd heartbeats', text, ageMs: null, freshForMs: null, weight: 'neutral' }));

type Judged = Pick<
  ExplainView,
  | 'unknownHere'
  | 'verdict'
  | 'reasonCode'
  | 'reason'
  | 'degraded'
  | 'decision'
  | 'evidence'
  | 'gates'
  | 'wouldFlip'
  | 'lookAgainInMs'
>;

const evidenceOf = ({ judgement }: Explained): ExplainView['evidence'] =>
  judgement.assessment.evidence.map((item) => ({ ...item, ageMs: rounded(item.ageMs) }));

const gatesOf = (gates: readonly GateResult[]): ExplainView['gates'] =>
  gates.map(({ gate, passes, value, limit, untilWallMs }) => ({ gate, passes, value, limit, untilWallMs }));

function asLeader(explained: Explained): Judged {
  const { assessment } = explained.judgement;
  const { decision, gates, wouldFlip } = explained.explanation;
  const { verdict, reasonCode, reason, degraded, recheckInMs } = assessment;
  return {
    unknownHere: [],
    ...{ verdict, reasonCode, reason, degraded },
    decision:
      decision.kind === 'hold'
        ? decision
        : { kind: decision.kind, reason: null, text: decision.text, untilWallMs: null },
    evidence: evidenceOf(explained),
    gates: gatesOf(gates),
    wouldFlip: [...wouldFlip],
    lookAgainInMs: rounded(recheckInMs),
  };
}

/** A follower has its own ears and etcd: what it cannot know is named, not guessed. */
function asFollower(explained: Explained, { verdict, leader }: ExplainSources): Judged {
  const who = leader ? `${leader.coordinatorId} at ${leader.httpUrl} leads and decides` : 'nobody leads';
  return {
    unknownHere: UNKNOWN_TO_FOLLOWERS,
    ...verdict,
    decision: { kind: 'none', reason: null, text: `Not decided here: ${who}.`, untilWallMs: null },
    evidence: evidenceOf(explained).filter((item) => !item.source.startsWith('ec2')),
    gates: gatesOf(explained.explanation.gates.filter((one) => KNOWN_TO_ALL.has(one.gate))),
    wouldFlip: [],
    lookAgainInMs: null,
  };
}

function unjudged(member: MemberId, { view, verdict, hold }: ExplainSources): Judged {
  const intent = view.records.intents.get(member)?.record;
  const nothing = { unknownHere: [], evidence: [], gates: [], wouldFlip: [], lookAgainInMs: null };
  const decision = (kind: 'recovering' | 'unjudged', text: string) => ({ kind, reason: null, text, untilWallMs: null });
  const unreadable = view.unreadableOf(member);
  if (unreadable) return { ...verdict, ...nothing, decision: decision('unjudged', unreadable.text) };
  if (!intent) {
    const text = 'No instance is activated for it: there is nothing to judge.';
    return { ...verdict, ...nothing, decision: decision('unjudged', text) };
  }
  const held = hold ? `; held: ${hold.text}` : '';
  const text = `Recovery ${intent.opId} is open, because: ${intent.reason}${held}`;
  const way = hold && [`${WAYS_OUT[hold.reason].act}: ${commandsFor(hold.reason, member).join(', ')}`];
  const wouldFlip = way ?? ['nothing: a recovery that was begun is carried through, unless an operator ends it'];
  return { ...verdict, ...nothing, wouldFlip, decision: decision('recovering', text) };
}

/** The hold a reader should see: the one in etcd, or that its own record cannot be read. */
export function shownHold(view: ClusterState, member: MemberId): ExplainView['hold'] {
  const hold: Pick<HoldRecord, 'reason' | 'text' | 'sinceWallMs' | 'untilWallMs'> | undefined =
    view.records.holds.get(member)?.record;
  if (hold) {
    const { reason, text, sinceWallMs, untilWallMs } = hold;
    return { reason, text, sinceWallMs, untilWallMs };
  }
  const unreadable = view.unreadableOf(member);
  return unreadable && { reason: 'RecordUnreadable', text: unreadable.text, sinceWallMs: 0, untilWallMs: null };
}
