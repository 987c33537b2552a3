import type { HistoryRecord, HookMessage, IntentRecord, PolicyHook } from '@understudy/shared';
import { hookId } from './hook-rows.ts';

/** What a hook is told of its recovery. */
export interface HookFacts
  extends Pick<IntentRecord, 'opId' | 'member' | 'oldInstanceId' | 'reason' | 'startedAtWallMs'> {
  readonly strategy: string;
  /** Null: nothing was launched, or it is not known any more. */
  readonly newInstanceId: string | null;
  /** How it ended. Absent: it has not. */
  readonly outcome?: HistoryRecord['outcome'];
}

export interface Try {
  readonly attempt: number;
  /** Before this it was begun by nobody. */
  readonly begunAtWallMs: number;
  readonly nowWallMs: number;
}

/** One try of a hook. No secret is in it. */
export function hookMessage(
  facts: HookFacts,
  { name, at }: Pick<PolicyHook, 'name' | 'at'>,
  { attempt, begunAtWallMs, nowWallMs }: Try,
): HookMessage {
  const { opId, member, oldInstanceId, newInstanceId, reason, startedAtWallMs, strategy, outcome } = facts;
  const id = hookId(opId, name, attempt);
  const body = JSON.stringify({
    ...{ id, type: `recovery.${at}`, timestamp: new Date(nowWallMs).toISOString() },
    ...{ hook: name, at, attempt, recovery: opId, member, strategy, reason },
    ...{ oldInstanceId, newInstanceId, outcome, startedAt: new Date(startedAtWallMs).toISOString() },
  });
  return { id, body, oldInstanceId, newInstanceId, begunAtWallMs };
}
