import type { Endpoint } from '@understudy/shared';

/**
 * One thing that happens to the target. The whole list, in order, is enough to let it happen again.
 */
export type Step =
  | {
      readonly kind: 'datagram';
      readonly atMs: number;
      readonly from: Endpoint;
      readonly bytes: Uint8Array;
      readonly what: string;
    }
  /** Sets the time, and lets happen what is due. */
  | { readonly kind: 'time'; readonly atMs: number };

export const INVARIANTS = [
  'never-throws',
  'outcome',
  'counters',
  'nothing-forged-counts',
  'no-reply-to-strangers',
  'reply-not-larger',
  'reply-genuine',
  'round-trip',
  'rejected-changes-nothing',
  'silence-is-silence',
  'one-by-one-as-together',
  'heartbeats-on-time',
  'memory',
] as const;
export type InvariantName = (typeof INVARIANTS)[number];

/** What was broken, in words. */
export interface Finding {
  readonly invariant: InvariantName;
  readonly text: string;
}

/** A target under fire, with an oracle beside it. */
export interface Target {
  /** Never throws: an error of the code under fire is a finding. */
  take(step: Step): Finding | null | Promise<Finding | null>;
  /** Called once, after the last step. */
  end(): Finding | null | Promise<Finding | null>;
  /** How many datagrams had each outcome. */
  readonly outcomes: ReadonlyMap<string, number>;
}

/** Makes the next steps. It hears what the target answers, as a network would let it. */
export interface Source {
  next(): Step;
}
