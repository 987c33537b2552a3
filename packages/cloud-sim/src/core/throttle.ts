import { type BucketLimit, fullBucket, takeTokens, type TokenBucket } from '@understudy/shared';
import { Ec2Error } from './ec2-error.ts';

const READ: BucketLimit = { burst: 100, refillPerSecond: 20 };
const UNFILTERED: BucketLimit = { burst: 50, refillPerSecond: 10 };
const MUTATE: BucketLimit = { burst: 50, refillPerSecond: 5 };
const STORAGE: BucketLimit = { burst: 100, refillPerSecond: 5 };

/** EC2 developer guide, "Request throttling": per account and Region, per action. */
const REQUEST_BUCKETS: Readonly<Record<string, BucketLimit>> = {
  RunInstances: { burst: 5, refillPerSecond: 2 },
  StartInstances: { burst: 5, refillPerSecond: 2 },
  TerminateInstances: STORAGE,
  CreateSnapshot: STORAGE,
  CreateSnapshots: STORAGE,
  DeleteSnapshot: STORAGE,
  CreateVolume: STORAGE,
  DeleteVolume: STORAGE,
  CreateTags: { burst: 100, refillPerSecond: 10 },
  DeleteTags: { burst: 100, refillPerSecond: 10 },
  CreateNetworkInterface: STORAGE,
  DeleteNetworkInterface: STORAGE,
  ModifyNetworkInterfaceAttribute: STORAGE,
  AssignPrivateIpAddresses: STORAGE,
  UnassignPrivateIpAddresses: STORAGE,
  AssignIpv6Addresses: STORAGE,
  DeregisterImage: STORAGE,
};

const RESOURCE_BUCKETS: Readonly<Record<string, BucketLimit>> = {
  RunInstances: { burst: 1_000, refillPerSecond: 2 },
  StartInstances: { burst: 1_000, refillPerSecond: 2 },
  StopInstances: { burst: 1_000, refillPerSecond: 20 },
  TerminateInstances: { burst: 1_000, refillPerSecond: 20 },
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
 * True for calls that take the smaller bucket. A call by id alone counts as unfiltered, because the
 * documentation does not spell it out.
 */
const isUnfiltered = (action: string, input: Readonly<Record<string, unknown>>): boolean =>
  UNFILTERED_ACTIONS.has(action) && length(input['Filters']) === 0 && input['MaxResults'] === undefined;

function requestBucket(action: string, input: Readonly<Record<string, unknown>>): [name: string, limit: BucketLimit] {
  if (isUnfiltered(action, input)) return [`${action}/unfiltered`, UNFILTERED];
  return [action, REQUEST_BUCKETS[action] ?? (isRead(action) ? READ : MUTATE)];
}

/** Number of instances a call names or asks for. */
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
   * Takes the tokens of one call.
   * @throws RequestLimitExceeded when a bucket is short; then none is taken.
   */
  admit(action: string, input: Readonly<Record<string, unknown>>, nowMs: number): void {
    const [name, limit] = requestBucket(action, input);
    const request = this.#taken(name, limit, 1, nowMs);
    const resourceLimit = RESOURCE_BUCKETS[action];
    const resources = `${action}/resources`;
    const resource = resourceLimit && this.#taken(resources, resourceLimit, resourceCount(input), nowMs);
    if (!request || resource === null) {
      this.#rejected++;
      throw new Ec2Error('RequestLimitExceeded', 'Request limit exceeded.');
    }
    this.#buckets.set(name, request);
    if (resource) this.#buckets.set(resources, resource);
  }

  /** The bucket without `count` tokens, not yet kept. Null when it is short of them. */
  #taken(name: string, { burst, refillPerSecond }: BucketLimit, count: number, nowMs: number): TokenBucket | null {
    const limit = { burst, refillPerSecond: refillPerSecond * this.#speed };
    return takeTokens(this.#buckets.get(name) ?? fullBucket(limit, nowMs), limit, nowMs, count);
  }
}
