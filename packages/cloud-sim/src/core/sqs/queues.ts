import { Ec2Error } from '../ec2-error.ts';
import { type QueueSettings, type QueueWorld, SimQueue } from './queue.ts';

export type NewQueue = Pick<QueueSettings, 'name'> & Partial<Omit<QueueSettings, 'name'>>;

const DAY_MS = 86_400_000;

/** The queues of the account in this Region. They are made by whoever operates the simulator. */
export class SimQueues {
  readonly #region: string;
  readonly #account: string;
  readonly #world: QueueWorld;
  readonly #queues = new Map<string, SimQueue>();
  /** Messages with this body arrive changed on their way. Null: none do. */
  spoilt: string | null = null;

  constructor(region: string, account: string, world: QueueWorld) {
    this.#region = region;
    this.#account = account;
    this.#world = world;
  }

  /** Durations are at speed 1. One of the same name is replaced, with all that is in it. */
  make({ name, visibilityTimeoutMs = 30_000, retentionMs = 4 * DAY_MS, ...rest }: NewQueue): SimQueue {
    const { speed } = this.#world;
    const settings: QueueSettings = {
      ...{ name, deadLetter: null, policy: null, ...rest },
      ...{ visibilityTimeoutMs: visibilityTimeoutMs / speed, retentionMs: retentionMs / speed },
    };
    const place = {
      url: `https://sqs.${this.#region}.amazonaws.com/${this.#account}/${name}`,
      arn: `arn:aws:sqs:${this.#region}:${this.#account}:${name}`,
    };
    const queue = new SimQueue(settings, place, this.#world, (arn, body) => this.byArn(arn)?.send(body));
    this.#queues.set(name, queue);
    return queue;
  }

  remove(name: string): boolean {
    return this.#queues.delete(name);
  }

  all(): readonly SimQueue[] {
    return [...this.#queues.values()];
  }

  byArn(arn: string): SimQueue | undefined {
    return this.all().find((one) => one.arn === arn);
  }

  byName(name: string): SimQueue | undefined {
    return this.#queues.get(name);
  }

  /** Account and name decide, whatever host a URL names. */
  byUrl(url: string): SimQueue | undefined {
    const [account, name = ''] = url.split('/').slice(-2);
    return account === this.#account ? this.#queues.get(name) : undefined;
  }

  /** @throws QueueDoesNotExist */
  require(url: string): SimQueue {
    const queue = this.byUrl(url);
    if (queue) return queue;
    throw new Ec2Error('QueueDoesNotExist', 'The specified queue does not exist.');
  }
}
