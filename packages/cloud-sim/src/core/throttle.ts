import { Ec2Error } from './ec2-error.ts';
import { type BucketSpec, TokenBucket } from './token-bucket.ts';

const READ: BucketSpec = { burst: 100, perSecond: 20 };
const UNFILTERED: BucketSpec = { burst: 50, perSecond: 10 };
const MUTATE: BucketSpec = { burst: 50, perSecond: 5 };
const STORAGE: BucketSpec = { burst: 100, perSecond: 5 };

/** EC2 developer guide, "Request throttling": per account and Region, per action. */
const REQUEST_BUCKETS: Readonly<Record<string, BucketSpec>> = {
  RunInstances: { burst: 5, perSecond: 2 },
  StartInstances: { burst: 5, perSecond: 2 },
  TerminateInstances: STORAGE,
  CreateSnapshot: STORAGE,
  CreateSnapshots: STORAGE,
  DeleteSnapshot: STORAGE,
  CreateVolume: STORAGE,
  DeleteVolume: STORAGE,
  CreateTags: { burst: 100, perSecond: 10 },
  DeleteTags: { burst: 100, perSecond: 10 },
  CreateNetworkInterface: STORAGE,
  DeleteNetworkInterface: STORAGE,
  ModifyNetworkInterfaceAttribute: STORAGE,
  DeregisterImage: STORAGE,
};

const RESOURCE_BUCKETS: Readonly<Record<string, BucketSpec>> = {
  RunInstances: { burst: 1_000, perSecond: 2 },
  StartInstances: { burst: 1_000, perSecond: 2 },
  StopInstances: { burst: 1_000, perSecond: 20 },
  TerminateInstances: { burst: 1_000, perSecond: 20 },
};

const UNFILTERED_ACTIONS = new Set([
  'DescribeInstances',
  'DescribeInstanceStatus',
  'DescribeNetworkInterfaces',
  'DescribeSecurityGroups',
  'DescribeSnapshots',
  'DescribeVolumes',
]);

const isRead = (action: string): boolean => /^(Describe|List|Search|Get)/.test(action);
const length = (value: unknown): number => (Array.isArray(value) ? value.length : 0);

/**
 * A call by id alone counts as unfiltered: the documentation does not spell it out, so the smaller
 * bucket applies.
 */
const isUnfiltered = (action: string, input: Readonly<Record<string, unknown>>): boolean =>
  UNFILTERED_ACTIONS.has(action) && length(input['Filters']) === 0 && input['MaxResults'] === undefined;

function requestBucket(action: string, input: Readonly<Record<string, unknown>>): [name: string, spec: BucketSpec] {
  if (isUnfiltered(action, input)) return [`${action}/unfiltered`, UNFILTERED];
  const spec = REQUEST_BUCKETS[action] ?? (isRead(action) ? READ : MUTATE);
  return [action, spec];
}

/** Instances a call names or asks for. */
export const resourceCount = (input: Readonly<Record<string, unknown>>): number =>
  Math.max(1, length(input['InstanceIds']), typeof input['MaxCount'] === 'number' ? input['MaxCount'] : 0);

/**
 * One bucket per action, created full at first use (at most three per known action). Refill rates
 * are multiplied by the speed.
 */
export class Throttle {
  readonly #speed: number;
  readonly #buckets = new Map<string, TokenBucket>();
  #rejected = 0;

  constructor(speed: number) {
    this.#speed = speed;
  }

  /** Calls refused since the start. */
  get rejectedCount(): number {
    return this.#rejected;
  }

  /**
   * Takes the tokens of one call. @throws RequestLimitExceeded when a bucket is short; then none is
   * taken.
   */
  admit(action: string, input: Readonly<Record<string, unknown>>, nowMs: number): void {
    const [name, spec] = requestBucket(action, input);
    const request = this.#bucket(name, spec, nowMs);
    const resourceSpec = RESOURCE_BUCKETS[action];
    const resource = resourceSpec && this.#bucket(`${action}/resources`, resourceSpec, nowMs);
    const resources = resourceCount(input);
    if (!request.has(1, nowMs) || (resource && !resource.has(resources, nowMs))) {
      this.#rejected++;
      throw new Ec2Error('RequestLimitExceeded', 'Request limit exceeded.');
    }
    request.take(1, nowMs);
    resource?.take(resources, nowMs);
  }

  #bucket(name: string, spec: BucketSpec, nowMs: number): TokenBucket {
    const known = this.#buckets.get(name);
    if (known) return known;
    const made = new TokenBucket({ burst: spec.burst, perSecond: spec.perSecond * this.#speed }, nowMs);
    this.#buckets.set(name, made);
    return made;
  }
}
