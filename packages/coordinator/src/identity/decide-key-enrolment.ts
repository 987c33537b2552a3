import {
  type ActivationRecord,
  type CloudInstance,
  type IntentRecord,
  isUndo,
  type KeyEnrolmentRecord,
  type MemberId,
  type MemberRecord,
  TAG,
} from '@understudy/shared';
import type { IdentityDocument } from './identity-document.ts';

/** Why an agent is given no key. The last ones pass by themselves. */
export const ENROLMENT_REFUSALS = [
  ...(['DocumentUnreadable', 'RegionForeign', 'SignatureWrong', 'AccountForeign'] as const),
  ...(['AddressForeign', 'InstanceUnknown', 'DocumentOutdated', 'TagsOther'] as const),
  ...(['NotTheInstance', 'AlreadyEnrolled', 'KeyUnusable'] as const),
  ...(['MemberUnknown', 'InstanceNotRunning', 'TooOften'] as const),
] as const;
export type EnrolmentRefusal = (typeof ENROLMENT_REFUSALS)[number];

export interface RefusedEnrolment {
  readonly kind: 'refused';
  readonly reason: EnrolmentRefusal;
  /** One sentence for people. */
  readonly text: string;
}

/** What an agent asks, as far as its document is genuine. */
export interface EnrolmentClaim {
  readonly member: MemberId;
  readonly document: IdentityDocument;
  /** The other end of its connection. */
  readonly address: string;
  readonly publicKey: string;
}

/** What our records say of the member. */
export interface EnrolmentFacts {
  readonly accounts: readonly string[];
  readonly activation: ActivationRecord | null;
  readonly memberRecord: MemberRecord | null;
  readonly intent: IntentRecord | null;
  readonly enrolment: KeyEnrolmentRecord | null;
}

export type EnrolmentDecision =
  /** `opId`: it is the replacement of that open recovery. */
  { readonly kind: 'give'; readonly opId: string | null; readonly repeated: boolean } | RefusedEnrolment;

/** EC2 says of a launch what the document says of it, give or take this. */
const LAUNCH_TOLERANCE_MS = 300_000;

const refused = (reason: EnrolmentRefusal, text: string): RefusedEnrolment => ({ kind: 'refused', reason, text });

/**
 * What is refused before EC2 is asked, so that nobody makes us ask it in vain. Null: it has to be
 * asked.
 */
export function refusedUnasked(claim: EnrolmentClaim, facts: EnrolmentFacts): RefusedEnrolment | null {
  const { member, document, address } = claim;
  const { accountId, instanceId, privateIp } = document;
  if (!facts.accounts.includes(accountId))
    return refused(
      'AccountForeign',
      `${instanceId} is of account ${accountId}, which enrolment.accounts does not name`,
    );
  const own = facts.memberRecord?.instanceId === instanceId ? facts.memberRecord.otherAddresses : [];
  if (address !== privateIp && !own.includes(address))
    return refused('AddressForeign', `the document of ${instanceId} (${privateIp}) was sent from ${address}`);
  if (facts.activation === null)
    return refused('MemberUnknown', `${member} is no member (yet): ${instanceId} needs its tags, and up to a minute`);
  return null;
}

/** Whether its tags name this member, as `name` or `group/name` (like `enrol/claims.ts`). */
function isTagged({ tags }: CloudInstance, member: MemberId): boolean {
  const [group = '', name = ''] = member.split('/');
  return tags[TAG.group] === group && (tags[TAG.member] === name || tags[TAG.member] === member);
}

const addressesOf = ({ privateIp, networkInterfaces }: CloudInstance): readonly (string | null)[] => [
  privateIp,
  ...networkInterfaces.map((one) => one.privateIp),
];

/** What EC2 says against it. Null: nothing. */
function refusedByEc2(claim: EnrolmentClaim, instance: CloudInstance | null): RefusedEnrolment | null {
  const { member, document } = claim;
  const { instanceId, privateIp, pendingWallMs } = document;
  if (instance === null) return refused('InstanceUnknown', `EC2 knows no ${instanceId} in this account and Region`);
  const { state, launchedAtWallMs } = instance;
  if (state !== 'running') return refused('InstanceNotRunning', `${instanceId} is ${state}, and not running`);
  if (!addressesOf(instance).includes(privateIp))
    return refused('DocumentOutdated', `EC2 says another address of ${instanceId} than its document`);
  if (Math.abs(launchedAtWallMs - pendingWallMs) > LAUNCH_TOLERANCE_MS)
    return refused('DocumentOutdated', `the document of ${instanceId} is of another start than the last one`);
  if (!isTagged(instance, member)) return refused('TagsOther', `the tags of ${instanceId} do not name ${member}`);
  return null;
}

/** The open recovery that this instance is the replacement of (or the one an undo returns to). */
function successorOf(instance: CloudInstance, intent: IntentRecord | null): string | null {
  if (intent === null) return null;
  const returns = isUndo(intent.plan) && intent.plan.undo.instanceId === instance.instanceId;
  return returns || instance.tags[TAG.op] === intent.opId ? intent.opId : null;
}

/**
 * **S** (S34) Whether the member's key is given to whoever asks in the name of this instance. The
 * document says what AWS signed about it, and anybody who could read it once can send it. So the
 * connection has to come from its address, EC2 has to say now that it runs under these tags, our
 * records have to know it as the instance of this member or as the replacement of its open
 * recovery, and the first key of an instance that asks is the only one that is answered.
 */
export function decideKeyEnrolment(
  claim: EnrolmentClaim,
  facts: EnrolmentFacts,
  instance: CloudInstance | null,
): EnrolmentDecision {
  const against = refusedUnasked(claim, facts) ?? refusedByEc2(claim, instance);
  if (against !== null || instance === null) return against ?? refused('InstanceUnknown', 'EC2 knows no such instance');
  const { member, publicKey } = claim;
  const { instanceId } = instance;
  const { activation, intent, enrolment } = facts;
  const opId = successorOf(instance, intent);
  const other = `${activation?.instanceId ?? 'another instance'} is activated`;
  if (opId === null && activation?.instanceId !== instanceId)
    return refused('NotTheInstance', `${instanceId} is not the instance of ${member}: ${other}`);
  if (enrolment?.instanceId === instanceId)
    return enrolment.publicKey === publicKey
      ? { kind: 'give', opId: enrolment.opId, repeated: true }
      : refused('AlreadyEnrolled', `${instanceId} has been given the key of ${member}, and somebody else asks there`);
  // Its replacement has the key: whatever still runs on the old instance is on its way out.
  if (opId === null && intent !== null && enrolment?.opId === intent.opId)
    return refused('NotTheInstance', `${enrolment.instanceId} takes the place of ${instanceId} in ${intent.opId}`);
  return { kind: 'give', opId, repeated: false };
}
