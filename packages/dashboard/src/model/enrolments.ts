import type { EnrolmentsView } from '@understudy/shared/browser';

/** What a member's page says of keys by identity. */
export interface MemberEnrolment {
  /** Null: no instance of it was given its key this way. */
  readonly given: EnrolmentsView['enrolments'][number] | null;
  /** Who asked for its key in vain within the last hour, the newest first. */
  readonly refused: EnrolmentsView['refused'];
}

/** Null: there is nothing to say, because nobody enrols, or nobody did or tried for this member. */
export function enrolmentOf(view: EnrolmentsView | null, member: string): MemberEnrolment | null {
  if (view === null || !view.enabled) return null;
  const given = view.enrolments.find((one) => one.member === member) ?? null;
  const refused = view.refused.filter((one) => one.member === member);
  const newestFirst = refused.toSorted((one, other) => other.lastWallMs - one.lastWallMs);
  return given === null && refused.length === 0 ? null : { given, refused: newestFirst };
}
