import type { BucketLimit, CallUrgency } from '@understudy/shared';

/** Most urgent first. */
export const URGENCIES: readonly CallUrgency[] = ['safety', 'usual', 'chore'];

type Input = Readonly<Record<string, unknown>>;

/** A bucket that several actions of a service draw from. */
export interface SharedBucket {
  readonly name: string;
  readonly limit: BucketLimit;
}

/** What a service takes one at a time, as Route 53 takes the changes of one hosted zone. */
export interface OneAtATime {
  /** Calls of the same lane follow one another. */
  readonly laneOf: (input: Input) => string;
  /** Left between an answer and the next call of the lane: the service is still at work then. */
  readonly gapMs: number;
  /** It says so with this code, and did nothing. Then the lane's gap is doubled for a while. */
  readonly busyCode: string;
}

/**
 * What a service allows of one action, per account (and Region, where it is no global service), and
 * how urgent it is by itself.
 */
export interface CallRates {
  /** One token per call. */
  readonly requests: BucketLimit;
  /** Tokens by the price of a call. Null: the service has no such bucket for it. */
  readonly resources: BucketLimit | null;
  /** Buckets that others draw from as well, one token per call. Default: none. */
  readonly shared?: readonly SharedBucket[];
  /** Default: as many at once as the buckets allow. */
  readonly oneAtATime?: OneAtATime;
  /** Its price in `resources`. Default: {@link resourcesOf}. */
  readonly priceOf?: (input: Input) => number;
  readonly urgency: CallUrgency;
  /** Calls that change something go first among those that are equally urgent. */
  readonly mutating: boolean;
}

const length = (value: unknown): number => (Array.isArray(value) ? value.length : 0);

/** Instances that a call names or asks for, at least 1: its price in EC2's resource bucket. */
export const resourcesOf = ({ InstanceIds, MaxCount }: Input): number =>
  Math.max(1, length(InstanceIds), typeof MaxCount === 'number' ? MaxCount : 0);
