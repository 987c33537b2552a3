import { type Clock, errorText, hasCode, isOperationError } from '@understudy/shared';
import type { CoordinatorClient } from '@understudy/shared/node';
import type { Answer, Condition, World } from './condition.ts';

const LOOK_EVERY_MS = 1_000;

/** How a wait ended. */
export type WaitEnd = Answer['state'] | 'time-over';

async function worldOf(client: CoordinatorClient): Promise<World> {
  const status = await client.status();
  const [members, recoveries, holds] = await Promise.all([client.members(), client.recoveries(), client.holds()]);
  return { status, members, recoveries, holds };
}

/** A coordinator that does not answer may answer again. An unknown name will not become known. */
const passes = (error: unknown): boolean =>
  isOperationError(error) && !hasCode(error, 'MEMBER_UNKNOWN') && !hasCode(error, 'CONFIG_INVALID');

/**
 * Looks once a second until the condition is met, cannot be met any more, or the time is over.
 * `tell` hears what is so, once for each change.
 * @throws MEMBER_UNKNOWN
 */
export async function waitFor(
  { client, clock }: { readonly client: CoordinatorClient; readonly clock: Clock },
  condition: Condition,
  timeoutMs: number,
  tell: (text: string) => void,
): Promise<WaitEnd> {
  const beganMs = clock.monotonicMs();
  let told = '';
  const say = (text: string): void => {
    if (text !== told) tell(text);
    told = text;
  };
  for (;;) {
    try {
      const { state, text } = condition(await worldOf(client));
      say(text);
      if (state !== 'not-yet') return state;
    } catch (error) {
      if (!passes(error)) throw error;
      say(errorText(error));
    }
    if (clock.monotonicMs() - beganMs + LOOK_EVERY_MS > timeoutMs) return 'time-over';
    await clock.sleep(LOOK_EVERY_MS);
  }
}
