import type { WallMs } from '@understudy/shared';

/** What one coordinator answered to `/readyz`. */
export interface Look {
  readonly coordinator: string;
  /** `ready`: it does its work. Anything else is silence, with why in `text`. */
  readonly isReady: boolean;
  readonly text: string;
}

export interface WatchSettings {
  /** All of them have to be silent for so long. */
  readonly silentForMs: number;
  /** An alarm that still holds is repeated so often. */
  readonly repeatEveryMs: number;
  /** Silence is planned until then. Null: it is not. */
  readonly plannedUntilWallMs: WallMs | null;
}

/**
 * What is kept from run to run, as long as the function's environment lives. Lost, an alarm comes
 * once more, and an end of the silence is not told: neither hides a silence.
 */
export interface Memory {
  readonly alarmedAtWallMs: WallMs | null;
}

export const NOTHING_KEPT: Memory = { alarmedAtWallMs: null };

export type Decision =
  /** Nothing is wrong, or nothing that is not known. The run ends. */
  | { readonly kind: 'end'; readonly why: 'heard' | 'planned' | 'told' }
  /** None answers, and not for long enough: they are looked at again. */
  | { readonly kind: 'look-again' }
  | { readonly kind: 'alarm' }
  /** One answers, and an alarm was raised before. */
  | { readonly kind: 'all-clear' };

export interface Seen {
  readonly looks: readonly Look[];
  /** Since when, in this run, none has answered. */
  readonly silentForMs: number;
  readonly nowWallMs: WallMs;
}

/**
 * What a round of looks comes to. One coordinator that does its work ends the silence, so a cluster
 * that comes and goes raises no alarm, and at most one message a run is sent. Pure.
 */
export function decide(
  { alarmedAtWallMs }: Memory,
  { looks, silentForMs, nowWallMs }: Seen,
  settings: WatchSettings,
): Decision {
  if (looks.some((one) => one.isReady))
    return alarmedAtWallMs === null ? { kind: 'end', why: 'heard' } : { kind: 'all-clear' };
  const { plannedUntilWallMs, repeatEveryMs } = settings;
  if (plannedUntilWallMs !== null && nowWallMs < plannedUntilWallMs) return { kind: 'end', why: 'planned' };
  if (alarmedAtWallMs !== null && nowWallMs - alarmedAtWallMs < repeatEveryMs) return { kind: 'end', why: 'told' };
  return silentForMs < settings.silentForMs ? { kind: 'look-again' } : { kind: 'alarm' };
}

/** What is kept after a message went out. Pure. */
export const keptAfter = (memory: Memory, { kind }: Decision, nowWallMs: WallMs): Memory => {
  if (kind === 'alarm') return { alarmedAtWallMs: nowWallMs };
  return kind === 'all-clear' ? NOTHING_KEPT : memory;
};
