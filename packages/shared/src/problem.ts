import * as z from 'zod';
import { ERROR_TABLE, type ErrorCode } from './errors.ts';

/**
 * Something that keeps a coordinator from (fully) doing its work, or an instance from being a
 * member, and what a person does about it.
 */
export const ProblemSchema = z.object({
  code: z.string(),
  /** What is wrong, with the names and figures of this case. */
  text: z.string(),
  /** What a person does about it: one sentence, or "none" when it passes by itself. */
  remedy: z.string(),
});
export type Problem = z.infer<typeof ProblemSchema>;

/**
 * Code → remedy of every problem that is not simply an error met by a loop (those have theirs in
 * {@link ERROR_TABLE}). They are documented in `docs/coordinator.md`.
 */
export const PROBLEM_REMEDIES = {
  DUPLICATE_COORDINATOR_ID:
    'give each coordinator its own id, or stop the other process: this one takes the id when the lease of the other has ended',
  KEYS_REFUSED: 'read docs/key-rotation.md; correct the key files: the keys in use stay in use meanwhile',
  TOKENS_REFUSED: 'correct http.tokensFile (docs/api.md): the tokens it last had stay in use meanwhile',
  CERTIFICATES_REFUSED: 'correct the files of http.tls (docs/api.md): the certificates in use stay in use meanwhile',
  ENROLMENT_REFUSED:
    'read docs/enrolment.md: where that is your own agent, correct what the text names; for AlreadyEnrolled run `understudy enrolments reset MEMBER`',
  STORE_NOT_COMPACTED: 'set --auto-compaction-mode and --auto-compaction-retention on the etcd members',
  HEARTBEATS_TOO_SLOW:
    'shorten heartbeat.intervalMs of the agent, or raise detect.suspectAfterMs of its group (docs/judging.md)',
  RECEIVE_BUFFER_SMALL:
    'raise net.core.rmem_max (sysctl) to udp.receiveBufferBytes or more, then start the coordinator again',
  POLICY_OF_NOBODY: 'correct its key (groups/<group>), tag the members of the group, or remove it',
  PAUSE_OF_NOBODY: 'correct its key (pauses/group/<group>, pauses/member/<group>/<member>), or remove it',
  COORDINATOR_DRAINED: 'run `understudy undrain COORDINATOR` when its work is done (docs/operating.md)',
  CLOUD_RATE_STARVED:
    'EC2 allows so many calls a second, and more wait: raise aws.rates.share, or the quotas with AWS and then aws.rates.raised (docs/rates.md)',
  CLOUD_ANSWERS_FOREIGN:
    'something answers in place of EC2: check aws.endpoint, AWS_ENDPOINT_URL_EC2, proxies and DNS of this host; nothing it says is believed',
  MEMBERS_NOT_READY:
    'run `understudy explain MEMBER`: each of its readiness problems says what to do (docs/replacement.md)',
  OBJECTIVES_MISSED:
    'run `understudy readiness`: what is predicted, and how to come below what the policy wants (docs/readiness.md)',
  LEFTOVERS_OBSTRUCTED:
    'run `understudy leftovers`; remove what is in the way (permission, protection, state): it is tried again by itself',
  PREPARATION_STUCK:
    'remove what it names (permission, protection, state): it costs money, and is tried again by itself (docs/prepare.md)',
  LOST_ZONE_IS_HEARD:
    'take the zone out of guard.lostZones of the group (understudy apply -f FILE); if the rest of it is lost all the same, say so with partly: true',
  INTERNAL_ERROR: 'this is a bug: read the log of this coordinator and report it; the loop is tried again',
  AGENT_NOT_AUTHENTIC:
    'give its agent its own key (understudy keys derive); if it is not its agent, find out who sends from there',
  AGENT_ELSEWHERE:
    'run its agent on the activated instance only, and end the other one; behind a translation of addresses (NAT) compare what EC2 and the agent say',
  AGENT_EPOCH_WENT_BACK:
    'none: it takes a greater epoch by itself; if it comes back, look at the clock and the state file of its host',
  BUILD_TOO_OLD: 'run here the build of the other coordinators (docs/upgrading.md); until then this one only looks on',
  BUILD_TOO_NEW:
    'upgrade through the builds in between, one after the other (docs/upgrading.md); until then this one only looks on',
  WEBHOOK_FAILING: 'see that the receiver answers 2xx at notify.webhooks[].url; everything is sent again when it does',
  TOPIC_FAILING:
    'see that notify.topics[].arn names a topic of SNS, that it can be reached, and that the role may publish (understudy iam-policy --topic); everything is sent again when it does',
  EVENT_BUS_FAILING:
    'see that notify.eventBuses[].arn names a bus of EventBridge, that it can be reached, and that the role may put events (understudy iam-policy --event-bus); everything is sent again when it does',
  IDENTITY_ASTRAY:
    'put it back where the text says it belongs, or leave it there: nothing more is done about it (docs/identity.md)',
  RETIRED_INSTANCE_RUNS: 'stop it: it serves nobody, and is not needed while it is kept (docs/undo.md)',
  NOTICES_UNDELIVERED:
    'run `understudy notices`; send them again (`understudy notice resend`), or drop them (`understudy notice drop`)',
  NOTICES_DROPPED: 'see what keeps the sinks from taking them; the changes themselves stand in `understudy history`',
  EVENTS_UNREACHABLE:
    'see that events.queueUrl names the queue, that it can be reached, and that the role may read it (understudy iam-policy --event-queue); meanwhile states are asked for as often as without events (docs/events.md)',
  EVENTS_MISSING:
    'see that the rules of EventBridge are enabled and that the policy of the queue lets them in (docs/events.md); meanwhile states are asked for as often as without events',
  EVENTS_LATE:
    'look at the age of the oldest message of the queue, at who else writes to it, and at the clock of this host; meanwhile states are asked for as often as without events (docs/events.md)',
  INVENTORY_INCOMPLETE:
    'none where it passes by itself; allow what was denied (understudy iam-policy), and see docs/inventory.md for answers that were not believed',
  NO_LEADER: 'start coordinators until most run, and look at etcd: nobody is judged or replaced meanwhile',
  GroupTagMissing: 'give it a tag understudy:group, or take its tag understudy:member away',
  TwoInstancesClaimMember: 'leave the tags understudy:group and understudy:member on one instance',
  ClaimAgainstActivation: 'leave the tags understudy:group and understudy:member on the activated instance only',
  NotReady: 'read docs/ways-out.md: its records do not fit together',
  GroupTagEmpty: 'give its tag understudy:group the name of a group',
  MemberTagMissing: 'give it a tag understudy:member, or take its tag understudy:group away',
  NameInvalid: 'change the tag: use 1-63 characters of a-z 0-9 . _ - that begin with a letter or digit',
  GroupMismatch: 'let both tags name the same group, or let the tag understudy:member hold the name alone',
  StoppedClaimant: 'terminate it, or take its tags away: only the activated instance is watched',
  NotRunningYet: 'none while it starts; start it if it stays so',
  NotVisible: 'none: it is looked at again when EC2 answers for its zone',
  TooManyMembers: 'take tags away from instances that need no watch, or run a second cluster',
} as const satisfies Record<string, string>;
export type ProblemCode = keyof typeof PROBLEM_REMEDIES | ErrorCode;

const isErrorCode = (code: string): code is ErrorCode => Object.hasOwn(ERROR_TABLE, code);

/** The problem with its code's remedy, unless a better one is given. */
export const problemOf = (code: ProblemCode, text: string, remedy?: string): Problem => ({
  code,
  text,
  remedy: remedy ?? (isErrorCode(code) ? ERROR_TABLE[code].remedy : PROBLEM_REMEDIES[code]),
});
