import type { ActivationRecord, IntentRecord, MemberId } from '@understudy/shared';

/**
 * True when the recovery has put its replacement in charge. Only chores are left of it then, and
 * the replacement is judged like any other instance.
 */
export const hasActivated = (
  intent: Pick<IntentRecord, 'opId'>,
  activation: Pick<ActivationRecord, 'opId'> | null | undefined,
): boolean => activation?.opId === intent.opId;

interface Tables {
  readonly intents: ReadonlyMap<MemberId, { readonly record: IntentRecord }>;
  readonly activations: ReadonlyMap<MemberId, { readonly record: ActivationRecord }>;
}

/**
 * The open recovery that decides who will serve for this member. Nobody else may judge the member
 * meanwhile. Null: there is none, or only its chores are left.
 */
export function undecidedRecovery({ intents, activations }: Tables, member: MemberId): IntentRecord | null {
  const intent = intents.get(member)?.record;
  if (!intent || hasActivated(intent, activations.get(member)?.record)) return null;
  return intent;
}
