import type { WallMs } from '@understudy/shared';
import * as z from 'zod';

/** Silence that is planned for longer is none: somebody forgot to take the plan back. */
const PLANNED_MAX_MS = 86_400_000;

const ms = (name: string, usual: number, from: number, to: number) =>
  z.coerce.number(`${name}: want a number of ms`).int().min(from).max(to).default(usual);

/** The function's environment variables. */
const SettingsSchema = z.object({
  /** URLs of all coordinators, with commas between them. */
  UNDERSTUDY_COORDINATORS: z
    .string()
    .transform((text) => text.split(',').map((one) => one.trim()))
    .pipe(
      z
        .array(z.url({ protocol: /^https?$/ }))
        .min(1)
        .max(16),
    ),
  /** ARN of the topic that is told. */
  UNDERSTUDY_TOPIC: z.string().regex(/^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]+$/),
  /** ms; default 180 000, 30 000 to 240 000. Longer rides out restarts, shorter tells sooner. */
  UNDERSTUDY_SILENT_FOR_MS: ms('UNDERSTUDY_SILENT_FOR_MS', 180_000, 30_000, 240_000),
  /** ms; default an hour, 5 minutes to a day. */
  UNDERSTUDY_REPEAT_EVERY_MS: ms('UNDERSTUDY_REPEAT_EVERY_MS', 3_600_000, 300_000, 86_400_000),
  /** RFC 3339; at most a day ahead. Empty: silence is not planned. */
  UNDERSTUDY_PLANNED_UNTIL: z.union([z.literal(''), z.iso.datetime({ offset: true })]).default(''),
});

export interface Settings {
  readonly coordinators: readonly string[];
  readonly topicArn: string;
  readonly silentForMs: number;
  readonly repeatEveryMs: number;
  readonly plannedUntilWallMs: WallMs | null;
}

/** @throws Error naming the variable: a watchman that cannot watch fails where that is seen */
export function settingsOf(environment: Readonly<Record<string, string | undefined>>, nowWallMs: WallMs): Settings {
  const given = SettingsSchema.parse(environment);
  const until = given.UNDERSTUDY_PLANNED_UNTIL;
  const plannedUntilWallMs = until === '' ? null : (Date.parse(until) as WallMs);
  if (plannedUntilWallMs !== null && plannedUntilWallMs - nowWallMs > PLANNED_MAX_MS)
    throw new Error(`UNDERSTUDY_PLANNED_UNTIL ${until} is more than a day ahead`);
  return {
    ...{ coordinators: given.UNDERSTUDY_COORDINATORS, topicArn: given.UNDERSTUDY_TOPIC, plannedUntilWallMs },
    ...{ silentForMs: given.UNDERSTUDY_SILENT_FOR_MS, repeatEveryMs: given.UNDERSTUDY_REPEAT_EVERY_MS },
  };
}
