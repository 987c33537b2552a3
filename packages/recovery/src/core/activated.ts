import type { ActivationRecord, IntentRecord, MemberId } from '@understudy/shared';

/**
 * The recovery has put its replacement in charge: what is left of it are chores, and the
 * replacement is a member like any other.
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
 * The open recovery that decides who will serve for this member, which nobody else may judge
 * meanwhile; null: there is none, or only its chores are left.
 */
export function undecidedRecovery({ intents, activations }: Tables, member: MemberId): IntentRecord | null {
  const intent = intents.get(member)?.record;
  if (!intent || hasActivated(intent, activations.get(member)?.record)) return null;
  return intent;
}
