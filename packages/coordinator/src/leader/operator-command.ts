import { type HoldReason, type MemberId, MemberIdSchema, REQUEST_KINDS, type RequestKind } from '@understudy/shared';
import * as z from 'zod';
import type { Asked, RefusalCode } from '../commands/command.ts';

/** What an operator asks for; `opId`: of the recovery they mean, null: the one that is open now. */
export interface OperatorCommand {
  readonly member: MemberId;
  readonly kind: RequestKind;
  readonly by: string;
  readonly why: string;
  readonly opId: string | null;
  readonly loss: string | null;
  readonly leaveOpen: boolean;
  /** `recover`: gates that are not to stop it. Absent: none. */
  readonly overrides?: readonly HoldReason[] | undefined;
  /** `recover`: only by the plan of this token. Absent: by any. */
  readonly planToken?: string | undefined;
  /** `recover`: by this strategy. Absent: as the policy says. */
  readonly strategy?: string | undefined;
  /** `undo`: writes of this long may be lost, ms. Absent: none may. */
  readonly acceptLossMs?: number | undefined;
}

/** Who has been authenticated to ask it, and under which key it is asked once. */
export type Authenticated = Pick<Asked, 'caller' | 'idempotencyKey'>;

/** What was written down. */
export const RequestedSchema = z.looseObject({ member: MemberIdSchema, kind: z.enum(REQUEST_KINDS), opId: z.string() });

export type OperatorAnswer =
  /** Written down; `repeated`: it was there already. */
  | { readonly kind: 'accepted'; readonly request: z.infer<typeof RequestedSchema>; readonly repeated: boolean }
  | { readonly kind: 'refused'; readonly code: RefusalCode; readonly text: string };
