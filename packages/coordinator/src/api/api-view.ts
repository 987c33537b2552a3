import { EventLog } from './events/event-log.ts';
import type { ClusterRecords } from '../store/cluster-records.ts';
import {
  CHECK_SLOTS,
  type CheckReading,
  checkCodeName,
  type Clock,
  durationText,
  type EnrolmentsView,
  type ExplainView,
  type FindingsRecord,
  type HistoryRecord,
  type HoldRecord,
  type IntentRecord,
  type KeysView,
  type LeftoverView,
  type MemberId,
  type MemberView,
  type MonotonicMs,
  type NotEnrolled,
  type NoticesView,
  type OpenRecoveryView,
  type PendingRequest,
  type Problem,
  problemOf,
  type RecoveriesView,
  type StatusView,
  type VerdictCounts,
} from '@understudy/shared';
import type { AgentPings } from './agent-pings.ts';
import type { InventoryHistory } from '@understudy/inventory';
import type { Controls } from './controls.ts';
import type { ApiSource } from './http/api-source.ts';
import type { VerdictChanges } from '../judge/verdict-changes.ts';
import type { Authenticated, OperatorAnswer, OperatorCommand } from '../leader/operator-command.ts';
import type { EnrolmentAnswer, EnrolmentRequest } from '../leader/key-enrolment.ts';
import type { LeadershipView } from '../store/leadership-view.ts';
import type { ClusterState } from '../store/cluster-state.ts';
import { FleetApi } from './fleet/fleet-api.ts';
import type { AskPeer } from './fleet/heard-of-peers.ts';
import type { CoordinatorInsight, LeaderInsight } from './insight.ts';
import { heldBy } from './record-problems.ts';
import { enrolmentsView } from './enrolments-view.ts';
import { noticesView } from './notices-view.ts';
import { leftoversProblem, leftoversView } from './leftovers-view.ts';
import { deedTexts } from './deed-texts.ts';
import { explainView, shownHold } from '../leader/explain-view.ts';
import { readinessProblem } from './readiness-problem.ts';
import { openRecoveryView } from './open-recovery-view.ts';
import { pendingRequest, pendingRequests } from './pending-requests.ts';
import { unexpectedProblems, type UnexpectedSources, unexpectedTexts } from './unexpected-heartbeats.ts';
import type { KeyRotation, ObserverTable } from '@understudy/observer';
import type { Verdicts } from '../leader/verdicts.ts';

export interface CoordinatorApiOptions {
  readonly coordinatorId: string;
  readonly az: string;
  readonly version: string;
  readonly startedAtMs: MonotonicMs;
  readonly clock: Clock;
  readonly view: ClusterState;
  readonly controls: Controls;
  readonly leadership: LeadershipView;
  readonly observer: ObserverTable;
  readonly verdicts: Verdicts;
  readonly changes: VerdictChanges;
  readonly leader: LeaderInsight;
  readonly own: CoordinatorInsight;
  /** Whether a serve lease would be counted on, in words. Null: no contract asks for one. */
  readonly serveLeases: { text(member: MemberId): string | null };
  readonly keys: Pick<KeyRotation, 'accepted' | 'problem'>;
  /** Null: the other coordinators cannot be asked. */
  readonly askPeer: AskPeer | null;
  /** Null: none is kept. */
  readonly inventory: InventoryHistory | null;
  /** Null: Systems Manager is not asked. */
  readonly agentPings: AgentPings | null;
}

/** Largest number of holds and of recoveries shown in a status. Each list has a page of its own. */
const SHOWN_MAX = 50;
/** History shown with the open recoveries. */
const RECENT_HISTORY = 100;

const checkName = (slot: number): string => CHECK_SLOTS[slot] ?? `slot-${slot}`;

const shownChecks = (checks: readonly CheckReading[]): MemberView['checks'] =>
  checks.flatMap((check, slot) =>
    check.status === 'absent'
      ? []
      : [{ name: checkName(slot), status: check.status, code: check.code === 0 ? '' : checkCodeName(check.code) }],
  );

/** The member of an open or ended recovery. Null: it is not known here. */
function memberOfRecovery({ intents, history }: ClusterRecords, opId: string): MemberId | null {
  for (const { record } of intents.values()) if (record.opId === opId) return record.member;
  for (const [member, ended] of history) if (ended.has(opId)) return member;
  return null;
}

/** The HTTP API's answers, from what this process knows right now. Reads only. */
export class CoordinatorApi implements ApiSource {
  readonly events: EventLog;
  readonly controls: Controls;
  readonly inventory: InventoryHistory | null;
  readonly agentPings: AgentPings | null;
  readonly #options: CoordinatorApiOptions;
  readonly fleet: FleetApi;

  constructor(options: CoordinatorApiOptions) {
    this.#options = options;
    const { view } = options;
    this.events = new EventLog(view.records.root, (opId) => memberOfRecovery(view.records, opId));
    view.observeWith(this.events);
    this.controls = options.controls;
    this.inventory = options.inventory;
    this.agentPings = options.agentPings;
    this.fleet = new FleetApi({
      ...options,
      hold: (member) => this.#hold(member),
      status: () => this.status(),
      askPeer: options.askPeer ?? (() => Promise.reject(new Error('this process cannot ask others'))),
    });
  }

  notReady(): readonly Problem[] {
    return this.#options.own.notReady();
  }

  status(): StatusView {
    const { coordinatorId, az, version, startedAtMs, clock, view, leadership, observer, verdicts } = this.#options;
    const leader = verdicts.leader();
    const nowMs = clock.monotonicMs();
    const { abstention } = observer;
    return {
      coordinatorId,
      az,
      version,
      uptimeMs: Math.round(nowMs - startedAtMs),
      leader: leader && { coordinatorId: leader.coordinatorId, term: leader.term },
      isLeader: leadership.current() !== null,
      coordinators: [...view.records.coordinators.values()].map(({ record }) => ({
        coordinatorId: record.coordinatorId,
        az: record.az,
        httpUrl: record.httpUrl,
        leader: record.coordinatorId === leader?.coordinatorId,
        version: record.version,
        featureLevel: record.featureLevel,
      })),
      featureLevels: view.featureLevels(),
      store: { fresh: view.isFresh(), lastContactAgoMs: rounded(view.contactAgeMs()) },
      observer: {
        abstains: abstention !== null,
        reason: abstention?.reason ?? null,
        heardAgents: observer.hearing(nowMs).hearsNow,
        watchedAgents: observer.watchedCount,
        opinions: ownCounts(observer),
      },
      judgement: verdicts.standing(),
      counts: this.#counts(),
      pauses: view.pausesInForce(clock.wallMs()).map((pause) => {
        const { scope, who, why, untilWallMs } = pause;
        return { scope, who, why, untilWallMs, members: heldBy(view, pause, clock.wallMs()) };
      }),
      holds: this.#shownHolds(),
      recoveries: this.recoveries().open.slice(0, SHOWN_MAX),
      requests: this.#requests().slice(0, SHOWN_MAX),
      problems: [...this.problems()],
    };
  }

  notEnrolled(): readonly NotEnrolled[] {
    return this.#options.leadership.current()
      ? this.#options.leader.notEnrolled()
      : (this.#findings()?.notEnrolled ?? []);
  }

  /**
   * What the leader finds. Null where we lead ourselves, there is no leader, or it has not said so
   * yet.
   */
  #findings(): FindingsRecord | null {
    const leader = this.#options.verdicts.leader();
    const record = this.#options.view.records.findings.get('current')?.record;
    return record && !this.#options.leadership.current() && record.term === leader?.term ? record : null;
  }

  /** What keeps anything from its work, as `status` and the metrics show it. */
  problems(): readonly Problem[] {
    const { own, verdicts } = this.#options;
    const found = this.#findings();
    const theirs = [
      ...(found?.problems ?? []),
      ...(found?.notEnrolled ?? []).map(({ instanceId, ...one }) => ({
        ...one,
        text: `${instanceId} ${one.text}`.trim(),
      })),
    ].map((one) => ({ ...one, text: `${found?.coordinatorId ?? ''} finds: ${one.text}` }));
    const unready = readinessProblem(this.#options.view.records.members);
    return [
      ...own.notReady(),
      ...verdicts.problems(),
      ...this.#unauthentic(),
      ...unexpectedProblems(this.#heard()),
      ...own.remarks(),
      ...(unready === null ? [] : [unready]),
      ...this.#obstructed(),
      ...theirs,
    ];
  }

  /** Why members are held, the longest held first, as far as there is room. */
  #shownHolds(): StatusView['holds'] {
    const { holds, members } = this.#options.view.records;
    return [...new Set([...holds.keys(), ...members.keys()])]
      .flatMap((member) => {
        const hold = this.#hold(member);
        return hold ? [{ member, ...hold }] : [];
      })
      .sort((a, b) => a.sinceWallMs - b.sinceWallMs)
      .slice(0, SHOWN_MAX);
  }

  members(): readonly MemberView[] {
    return [...this.#options.view.records.members.keys()].sort().map((member) => this.#member(member));
  }

  keys(): KeysView {
    const { coordinatorId, keys, observer, clock, leader } = this.#options;
    const nowMs = clock.monotonicMs();
    return {
      coordinatorId,
      accepted: keys.accepted.map(({ id, fingerprint }) => ({ id, fingerprint })),
      refused: keys.problem?.text ?? null,
      unknownKeyDatagrams: observer.counts['unknown-key'],
      members: observer
        .memberKeys()
        .map(({ lastHeardMs, ...one }) => ({
          ...one,
          lastHeardAgoMs: lastHeardMs === null ? null : Math.max(0, Math.round(nowMs - lastHeardMs)),
          userDataKeyId: one.instanceId === null ? null : leader.userDataKeyId(one.instanceId),
        }))
        .sort((a, b) => (a.member < b.member ? -1 : 1)),
    };
  }

  explain(member: MemberId): ExplainView | null {
    const { coordinatorId, view, leadership, changes, clock, verdicts, leader, own, serveLeases } = this.#options;
    const hold = this.#hold(member);
    const wallNowMs = clock.wallMs();
    const sources = {
      ...{ coordinatorId, view, leadership, changes, wallNowMs, hold },
      verdict: verdicts.of(member),
      leader: verdicts.leader(),
      ownView: this.#ownView(member),
      refused: this.#refused(member),
      unexpected: unexpectedTexts(this.#heard(), member),
      explained: leader.explained(member),
      console: leader.console(member),
      serveLease: serveLeases.text(member),
      prepared: leader.prepared(member),
      deeds: deedTexts(view.records, member, (ids) => leader.events.deedsOf(ids)),
      storeTrouble: own.storeTrouble(),
    };
    const intent = view.records.intents.get(member)?.record;
    const told = explainView(member, sources);
    const request = pendingRequest(view.records, member);
    return told && { ...told, openRecovery: intent ? this.#open(intent) : null, ...(request ? { request } : {}) };
  }

  operate(command: OperatorCommand, by?: Authenticated): Promise<OperatorAnswer> {
    return this.#options.leader.operate(command, by);
  }

  leader(): ReturnType<ApiSource['leader']> {
    const { leadership } = this.#options;
    return leadership.current() ? 'self' : leadership.knownLeader();
  }

  notices(): NoticesView {
    return noticesView(this.#options.view.records);
  }

  enrolments(): EnrolmentsView {
    return enrolmentsView(this.#options.view.records, this.#options.leader.keyEnrolment);
  }

  enrolKey(request: EnrolmentRequest): Promise<EnrolmentAnswer> {
    return this.#options.leader.enrolKey(request);
  }

  leftovers(): readonly LeftoverView[] {
    return leftoversView(this.history(null, Number.POSITIVE_INFINITY));
  }

  recoveries(): RecoveriesView {
    const { intents } = this.#options.view.records;
    const open = [...intents.values()]
      .sort((a, b) => a.record.startedAtWallMs - b.record.startedAtWallMs)
      .map(({ record }) => this.#open(record));
    return { open, history: [...this.history(null, RECENT_HISTORY)], requests: this.#requests() };
  }

  holds(): readonly HoldRecord[] {
    return [...this.#options.view.records.holds.values()].map(({ record }) => record);
  }

  history(member: string | null, limit: number): readonly HistoryRecord[] {
    const { history } = this.#options.view.records;
    const chosen = member === null ? [...history.values()] : [history.get(member as MemberId) ?? new Map()];
    return chosen
      .flatMap((entries) => [...entries.values()].map(({ record }) => record))
      .sort((a, b) => b.endedAtWallMs - a.endedAtWallMs)
      .slice(0, limit);
  }

  #requests(): PendingRequest[] {
    return pendingRequests(this.#options.view.records);
  }

  #obstructed(): readonly Problem[] {
    const problem = leftoversProblem(this.leftovers());
    return problem === null ? [] : [problem];
  }

  #counts(): StatusView['counts'] {
    const { members, intents, holds } = this.#options.view.records;
    return { members: members.size, ...this.#options.verdicts.counts(), recovering: intents.size, held: holds.size };
  }

  /**
   * Datagrams that claim to be this member and are not believed, in words. Null: there were none
   * lately.
   */
  #refused(member: MemberId): string | null {
    const { observer, clock, view } = this.#options;
    const nowMs = clock.monotonicMs();
    const claim = observer.refused(member, nowMs);
    if (!claim) return null;
    const { count, sinceMs, from, kind } = claim;
    const own = view.records.members.get(member)?.record.privateIp;
    const whose = from === own ? `its own address ${from}` : from;
    const key = kind === 'forged' ? 'wrong key' : 'a key id that is not accepted here';
    const forMs = durationText(Math.max(0, nowMs - sinceMs));
    return `datagrams from ${whose} that claim to be ${member} fail authentication (${count} in ${forMs}): ${key}`;
  }

  /**
   * Members that are not heard while unauthentic datagrams claim to be them. Most likely their
   * agent has the wrong key.
   */
  #unauthentic(): readonly Problem[] {
    return this.#options.observer.opinions().flatMap(({ member, verdict }) => {
      const text = verdict === 'alive' ? null : this.#refused(member);
      return text === null ? [] : [problemOf('AGENT_NOT_AUTHENTIC', text)];
    });
  }

  #heard(): UnexpectedSources {
    const { view, observer, clock } = this.#options;
    return { records: view.records, observer, nowMs: clock.monotonicMs() };
  }

  /** What this process's own observer hears, labelled as such. */
  #ownView(member: MemberId): MemberView['ownView'] {
    const { coordinatorId, observer } = this.#options;
    const opinion = observer.opinion(member);
    return opinion && { observer: coordinatorId, verdict: opinion.verdict, reason: opinion.reason };
  }

  /**
   * The hold in etcd. Where none could be written: the one that was decided on, or what keeps every
   * leader from deciding.
   */
  #hold(member: MemberId): ExplainView['hold'] {
    const { view, leader, own, observer } = this.#options;
    const shown = shownHold(view, member);
    const trouble = own.storeTrouble();
    if (shown || trouble === null) return shown;
    const wanted = leader.wantedHold(member);
    if (wanted) return { ...wanted, text: `${trouble}. ${wanted.text}`, sinceWallMs: 0 };
    const verdict = observer.opinion(member)?.verdict;
    if (verdict !== 'suspect' && verdict !== 'dead') return null;
    return { reason: 'ObserverUnwell', text: `${trouble}: nothing is decided`, sinceWallMs: 0, untilWallMs: null };
  }

  #member(member: MemberId): MemberView {
    const { view, observer, clock } = this.#options;
    const { members, activations, opinions, intents } = view.records;
    const record = members.get(member)?.record;
    const activation = activations.get(member)?.record;
    const instanceId = activation?.instanceId ?? record?.instanceId ?? '';
    const reading = observer.reading(member, instanceId, clock.monotonicMs());
    return {
      member,
      instanceId,
      incarnation: activation?.incarnation ?? null,
      az: record?.az ?? '',
      ...this.#options.verdicts.of(member),
      ownView: this.#ownView(member),
      refusedDatagrams: this.#refused(member),
      unexpectedHeartbeats: [...unexpectedTexts(this.#heard(), member)],
      lastHeardAgoMs: reading && Math.max(0, Math.round(clock.monotonicMs() - reading.lastHeardAtMs)),
      opinions: [...(opinions.get(member)?.values() ?? [])].map(({ record: one }) => ({
        observer: one.observer,
        az: one.observerAz,
        verdict: one.verdict,
        reason: one.reason,
        ...(one.service ? { service: one.service } : {}),
      })),
      checks: shownChecks(reading?.checks ?? []),
      hold: this.#hold(member),
      recovery: intents.get(member)?.record.opId ?? null,
      readinessProblems: record?.readinessProblems ?? [],
    };
  }

  #open(intent: IntentRecord): OpenRecoveryView {
    const { opId, member } = intent;
    const { journals, holds } = this.#options.view.records;
    return openRecoveryView({
      intent,
      journal: [...(journals.get(opId)?.values() ?? [])].map((one) => one.record),
      activity: this.#options.leader.activity(opId),
      hold: holds.get(member)?.record ?? null,
      request: pendingRequest(this.#options.view.records, member),
    });
  }
}

const rounded = (value: number | null): number | null => (value === null ? null : Math.round(value));

/** Counts members by what this process's own observer thinks of them. O(members). */
function ownCounts(observer: Pick<ObserverTable, 'opinions'>): VerdictCounts {
  const counts = { alive: 0, suspect: 0, dead: 0, unknown: 0, left: 0 };
  for (const { verdict } of observer.opinions()) counts[verdict]++;
  return counts;
}
