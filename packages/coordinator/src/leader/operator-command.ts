import type { MemberId, OperatorRequestRecord, RequestKind, Unwritten } from '@understudy/shared';

/** What an operator asks for; `opId`: of the recovery they mean, null: the one that is open now. */
export interface OperatorCommand {
  readonly member: MemberId;
  readonly kind: RequestKind;
  readonly by: string;
  readonly why: string;
  readonly opId: string | null;
  readonly loss: string | null;
  readonly leaveOpen: boolean;
}

export type OperatorAnswer =
  /** Written down; `repeated`: it was there already. */
  | { readonly kind: 'accepted'; readonly request: Unwritten<OperatorRequestRecord>; readonly repeated: boolean }
  | { readonly kind: 'refused'; readonly code: RefusalCode; readonly text: string };

export type RefusalCode =
  | 'MEMBER_UNKNOWN'
  | 'NO_OPEN_RECOVERY'
  | 'OTHER_RECOVERY'
  | 'NOT_STOPPED_BY_US'
  | 'CHANGED'
  | 'UNAVAILABLE';
