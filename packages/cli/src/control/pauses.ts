import { type PausesView, PausesViewSchema, type PauseView, StatusViewSchema } from '@understudy/shared';
import type { Clock } from '@understudy/shared';
import type { ControlClient } from './control-client.ts';

const LOOK_EVERY_MS = 500;

export const pauseText = ({ scope, who, why, untilWallMs, members }: PauseView): string =>
  `${scope} is paused by ${who}: ${why} (${untilWallMs === null ? 'no end' : `until ${new Date(untilWallMs).toISOString()}`}, holds ${members})`;

export const readPauses = (client: ControlClient): Promise<PausesView> => client.read(PausesViewSchema, '/v1/pauses');

/** The pause of this scope. Null: there is none in force. */
export const pauseOf = (view: PausesView, scope: string): PauseView | null =>
  view.pauses.find((one) => one.scope === scope) ?? null;

export interface Honoured {
  readonly by: readonly string[];
  /** Present, and does not show the pause, or does not answer. */
  readonly notYet: readonly string[];
}

/** Asks each coordinator that is present itself, until all show the pause, or the time is over. */
export async function waitUntilHonoured(
  client: ControlClient,
  clock: Clock,
  scope: string,
  limitMs: number,
): Promise<Honoured> {
  const fromMs = clock.monotonicMs();
  for (;;) {
    const honoured = await honouredBy(client, scope);
    if (honoured.notYet.length === 0 || clock.monotonicMs() - fromMs >= limitMs) return honoured;
    await clock.sleep(LOOK_EVERY_MS);
  }
}

async function honouredBy(client: ControlClient, scope: string): Promise<Honoured> {
  const { coordinators } = await client.read(StatusViewSchema, '/v1/status');
  const looks = await Promise.all(
    coordinators.map(async ({ coordinatorId, httpUrl }) => {
      const seen = await client.read(PausesViewSchema, '/v1/pauses', [httpUrl]).catch(() => null);
      return { coordinatorId, sees: seen !== null && pauseOf(seen, scope) !== null };
    }),
  );
  return {
    by: looks.filter((one) => one.sees).map((one) => one.coordinatorId),
    notYet: looks.filter((one) => !one.sees).map((one) => one.coordinatorId),
  };
}
