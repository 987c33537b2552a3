import type { HookMoment } from '../policy/hooks.ts';

/** What is run, by its name in the configuration of the coordinators. */
export interface NamedHook {
  /** When it runs. */
  readonly at: HookMoment;
  readonly program?: string | undefined;
  readonly webhook?: string | undefined;
  readonly command?: string | undefined;
  readonly timeoutMs: number;
}

export interface HookMessage {
  /** The same for each run of one try, whoever leads: a receiver drops what it has had. */
  readonly id: string;
  /** JSON. */
  readonly body: string;
  /** The failed instance. */
  readonly oldInstanceId: string;
  /** Its replacement. Null: there is none, or it is not known any more. */
  readonly newInstanceId: string | null;
  /** Nobody has begun this try before, by the clock of whoever led. */
  readonly begunAtWallMs: number;
}

export type HookOutcome =
  /** `text`: the beginning of what it said, without secrets. */
  | { readonly kind: 'passed'; readonly text: string }
  /** It failed, did not end in time, could not be begun, or is not known here. */
  | { readonly kind: 'refused'; readonly text: string };

/**
 * Runs a hook to its end. It never rejects, and ends by the hook's own time, or with the signal.
 * What was begun is ended with it.
 */
export type RunHook = (hook: NamedHook, message: HookMessage, signal: AbortSignal) => Promise<HookOutcome>;
