import type { MemberId } from './member-id.ts';

/** Every etcd key we use, in one place. `docs/etcd-keys.md` documents them with `etcdctl` lines. */
export const KEY_ROOT = '/understudy/v1/';

export interface Keyspace {
  readonly root: string;
  readonly leader: string;
  readonly coordinators: string;
  coordinator(coordinatorId: string): string;
  readonly opinions: string;
  opinion(member: MemberId, observer: string): string;
  readonly judgements: string;
  judgement(member: MemberId): string;
  /** Says whose judgements stand. One record for the cluster. */
  readonly judge: string;
  readonly findings: string;
  /** The feature level that coordinators have agreed on. */
  readonly level: string;
  readonly groups: string;
  group(group: string): string;
  readonly policies: string;
  /** The policy in force for a group whose record under `groups/` is refused. */
  policy(group: string): string;
  readonly members: string;
  member(member: MemberId): string;
  readonly activations: string;
  activation(member: MemberId): string;
  readonly intents: string;
  intent(member: MemberId): string;
  readonly preparations: string;
  /** What is made for a suspect, by the recovery that would take it over. */
  preparation(opId: string): string;
  readonly prepared: string;
  /** When preparations of a group were begun. */
  preparedIn(group: string): string;
  readonly journal: string;
  journalOf(opId: string): string;
  journalStep(opId: string, step: string): string;
  readonly enrolments: string;
  /** Which instance of a member was given its key by identity. */
  enrolment(member: MemberId): string;
  readonly deeds: string;
  /** What CloudTrail told of instances of a member, until it stands in a history. */
  deedsOf(member: MemberId): string;
  readonly holds: string;
  hold(member: MemberId): string;
  readonly requests: string;
  /** What an operator has asked of a member's recovery. */
  request(member: MemberId): string;
  readonly pauses: string;
  /** `scope` is `global`, `group/<group>` or `member/<group>/<member>`. */
  pause(scope: string): string;
  readonly audit: string;
  auditEntry(auditId: string): string;
  readonly answers: string;
  /** What a command with an idempotency key was answered. */
  answer(answerId: string): string;
  readonly drains: string;
  drain(coordinatorId: string): string;
  /** Begins with {@link leader}, so that whoever watches that sees it in the same order. */
  readonly transfer: string;
  readonly history: string;
  historyOf(member: MemberId): string;
  historyEntry(member: MemberId, opId: string): string;
  /** Notices that wait to be delivered. */
  readonly outbox: string;
  notice(id: string): string;
  /** Notices that a webhook did not take. */
  readonly undelivered: string;
  undeliveredNotice(webhook: string, id: string): string;
}

/** `root` differs from {@link KEY_ROOT} only in tests that share one etcd. */
export function keyspace(root: string = KEY_ROOT): Keyspace {
  const under = (area: string) => `${root}${area}/`;
  return {
    root,
    leader: `${root}leader`,
    coordinators: under('coordinators'),
    coordinator: (id) => `${root}coordinators/${id}`,
    opinions: under('opinions'),
    opinion: (member, observer) => `${root}opinions/${member}/${observer}`,
    judgements: under('judgements'),
    judgement: (member) => `${root}judgements/${member}`,
    judge: `${root}judge/current`,
    findings: `${root}findings/current`,
    level: `${root}level/current`,
    groups: under('groups'),
    group: (group) => `${root}groups/${group}`,
    policies: under('policies'),
    policy: (group) => `${root}policies/${group}`,
    members: under('members'),
    member: (member) => `${root}members/${member}`,
    activations: under('activations'),
    activation: (member) => `${root}activations/${member}`,
    intents: under('intents'),
    intent: (member) => `${root}intents/${member}`,
    preparations: under('preparations'),
    preparation: (opId) => `${root}preparations/${opId}`,
    prepared: under('prepared'),
    preparedIn: (group) => `${root}prepared/${group}`,
    journal: under('journal'),
    journalOf: (opId) => `${root}journal/${opId}/`,
    journalStep: (opId, step) => `${root}journal/${opId}/${step}`,
    enrolments: under('enrolments'),
    enrolment: (member) => `${root}enrolments/${member}`,
    deeds: under('deeds'),
    deedsOf: (member) => `${root}deeds/${member}`,
    holds: under('holds'),
    hold: (member) => `${root}holds/${member}`,
    requests: under('requests'),
    request: (member) => `${root}requests/${member}`,
    pauses: under('pauses'),
    pause: (scope) => `${root}pauses/${scope}`,
    audit: under('audit'),
    auditEntry: (auditId) => `${root}audit/${auditId}`,
    answers: under('answers'),
    answer: (answerId) => `${root}answers/${answerId}`,
    drains: under('drains'),
    drain: (coordinatorId) => `${root}drains/${coordinatorId}`,
    transfer: `${root}leader-transfer/current`,
    history: under('history'),
    historyOf: (member) => `${root}history/${member}/`,
    historyEntry: (member, opId) => `${root}history/${member}/${opId}`,
    outbox: under('outbox'),
    notice: (id) => `${root}outbox/${id}`,
    undelivered: under('undelivered'),
    undeliveredNotice: (webhook, id) => `${root}undelivered/${webhook}/${id}`,
  };
}
