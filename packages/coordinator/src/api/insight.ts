import type { RecoveryActivity } from '@understudy/recovery';
import type { ExplainView, HoldRecord, MemberId, NotEnrolled, Problem } from '@understudy/shared';
import type { Explained, ExplainSources } from '../leader/explain-view.ts';
import type { EnrolmentAnswer, EnrolmentRequest, KeyEnrolment } from '../leader/key-enrolment.ts';
import type { Authenticated, OperatorAnswer, OperatorCommand } from '../leader/operator-command.ts';

/** What the API asks of the leader in this process, which may be none at present. */
export interface LeaderInsight {
  /**
   * A fresh judgement with every gate, by leader or follower. Null where there is nothing to judge.
   */
  explained(member: MemberId): Explained | null;
  /** The hold the leader decided on and perhaps could not write. Null on a follower. */
  wantedHold(member: MemberId): Pick<HoldRecord, 'reason' | 'text' | 'untilWallMs'> | null;
  /** The last words of a member's machine that this process found dead. */
  console(member: MemberId): ExplainView['console'];
  /** What was begun for it while it is suspect, as far as it is known here. */
  prepared(member: MemberId): ExplainSources['prepared'];
  /** Who has stopped, started or ended instances of members, as CloudTrail told this process. */
  readonly events: { deedsOf(instanceIds: readonly string[]): readonly string[] };
  /** What an open recovery is doing. Null when it does not run here. */
  activity(opId: string): RecoveryActivity | null;
  /** Key id that the user data of this instance names. Null: not known here. */
  userDataKeyId(instanceId: string): number | null;
  /** Takes an operator's request about a recovery. Only the leader accepts it. */
  operate(command: OperatorCommand, by?: Authenticated): Promise<OperatorAnswer>;
  /** Gives agents their keys for the identity of their instances. */
  readonly keyEnrolment: Pick<KeyEnrolment, 'isOn' | 'refusals'>;
  /** Only while we lead. */
  enrolKey(request: EnrolmentRequest): Promise<EnrolmentAnswer>;
  /** Instances that enrolment found and could not enrol. Asked while we lead. */
  notEnrolled(): readonly NotEnrolled[];
}

/** What the API asks of the coordinator itself. */
export interface CoordinatorInsight {
  /** What keeps it from being ready. */
  notReady(): readonly Problem[];
  /** Shown in the status beside {@link notReady}. Remarks do not make the process unready. */
  remarks(): readonly Problem[];
  /** Why etcd takes no writes now. Null while it does. */
  storeTrouble(): string | null;
}
