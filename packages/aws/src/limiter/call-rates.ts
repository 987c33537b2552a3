import type { BucketLimit, CallUrgency } from '@understudy/shared';

/** Most urgent first. */
export const URGENCIES: readonly CallUrgency[] = ['safety', 'usual', 'chore'];

/** What EC2 allows of one action, per account and Region, and how urgent it is by itself. */
export interface CallRates {
  /** One token per call. */
  readonly requests: BucketLimit;
  /** One token per instance that a call names or asks for. Null: EC2 has no such bucket for it. */
  readonly resources: BucketLimit | null;
  readonly urgency: CallUrgency;
  /** Calls that change something go first among those that are equally urgent. */
  readonly mutating: boolean;
}

const length = (value: unknown): number => (Array.isArray(value) ? value.length : 0);

/** Instances that a call names or asks for, at least 1: its price in the resource bucket. */
export const resourcesOf = ({ InstanceIds, MaxCount }: Readonly<Record<string, unknown>>): number =>
  Math.max(1, length(InstanceIds), typeof MaxCount === 'number' ? MaxCount : 0);
