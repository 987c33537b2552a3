/** Durations in ms. */
export interface DetectionTimes {
  readonly heartbeatIntervalMs: number;
  readonly suspectAfterMs: number;
  readonly confirmForMs: number;
}

/**
 * How fast a crash is called dead, and what that costs, as one word (`docs/detection.md`). A time
 * that a policy writes down itself goes before the one of its profile.
 *
 * - `fast`: crash to dead within 3 s. Four times the heartbeats; a pause of the machine of 2.5 s
 *   (a migration, stolen time, a stalled disk) is a failover.
 * - `default`: within 9.3 s.
 * - `calm`: within 22 s, for machines that stand still for many seconds.
 */
export const DETECTION_PROFILES = {
  fast: { heartbeatIntervalMs: 250, suspectAfterMs: 1_500, confirmForMs: 1_000 },
  default: { heartbeatIntervalMs: 1_000, suspectAfterMs: 5_000, confirmForMs: 3_000 },
  calm: { heartbeatIntervalMs: 1_000, suspectAfterMs: 12_000, confirmForMs: 8_000 },
} as const satisfies Readonly<Record<string, DetectionTimes>>;

/** Intervals asked of agents are multiples of this: an observer keeps one byte each. */
export const HEARTBEAT_INTERVAL_STEP_MS = 50;

export type DetectionProfile = keyof typeof DETECTION_PROFILES;

export const PROFILE_NAMES = Object.keys(DETECTION_PROFILES) as readonly DetectionProfile[];

const isProfile = (name: unknown): name is DetectionProfile =>
  typeof name === 'string' && Object.hasOwn(DETECTION_PROFILES, name);

/**
 * A written section `detect` with the times of its profile where it names none. Anything that is no
 * such section is left for its schema to refuse.
 */
export function withProfileTimes(given: unknown): unknown {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return given;
  const { profile } = given as { readonly profile?: unknown };
  if (!isProfile(profile)) return given;
  const written = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  return { ...DETECTION_PROFILES[profile], ...written };
}
