import { type Clock, type MonotonicMs, type Raw, rawListOf, rawOf, textOf } from '@understudy/shared';
import type { Ec2Transport } from '../transport/transport.ts';

/** How a read of single things is asked, and where its answer has them. */
interface ById {
  /** Member of the answer, and of each of its rows where the things stand deeper. */
  readonly rows: string;
  readonly within?: string;
  /** Member of a thing that holds its id. */
  readonly id: string;
  /** Member of the request, and the filter that means the same. */
  readonly ids: string;
  readonly filter: string;
}

/** Reads that a crawl answers too. An action that is not here is always asked. */
const BY_ID: Readonly<Record<string, ById>> = {
  DescribeInstances: {
    ...{ rows: 'Reservations', within: 'Instances', id: 'InstanceId', ids: 'InstanceIds', filter: 'instance-id' },
  },
  DescribeVolumes: { rows: 'Volumes', id: 'VolumeId', ids: 'VolumeIds', filter: 'volume-id' },
  DescribeNetworkInterfaces: {
    ...{ rows: 'NetworkInterfaces', id: 'NetworkInterfaceId', ids: 'NetworkInterfaceIds' },
    filter: 'network-interface-id',
  },
  DescribeSubnets: { rows: 'Subnets', id: 'SubnetId', ids: 'SubnetIds', filter: 'subnet-id' },
  DescribeImages: { rows: 'Images', id: 'ImageId', ids: 'ImageIds', filter: 'image-id' },
};

/** What nobody has asked for so long is not kept any more. */
const WANTED_FOR_MS = 3_600_000;
/** Things kept at most: ten thousand members have fewer. */
const WANTED_MAX = 100_000;

interface Wanted {
  askedAtMs: MonotonicMs;
  seen: { readonly row: Raw; readonly atMs: MonotonicMs } | null;
}

/** Members of a request that make no difference to what is known by its id. */
const HARMLESS = ['Filters', 'MaxResults', 'IncludeDeprecated', 'IncludeDisabled'];

/** The ids that a request asks for, where it asks for nothing else. Null: it does. */
function idsIn({ ids, filter }: ById, input: Raw): readonly string[] | null {
  if (Object.keys(input).some((name) => name !== ids && !HARMLESS.includes(name))) return null;
  const filters = input.Filters === undefined ? [] : rawListOf(input.Filters);
  if (filters.some((one) => one.Name !== filter)) return null;
  const named = [input[ids], ...filters.map((one) => one.Values)].filter((one) => one !== undefined);
  const [first, ...others] = named.map((one) => (Array.isArray(one) ? one.flatMap((id) => textOf(id) ?? []) : []));
  if (first === undefined || first.length === 0) return null;
  return others.every((one) => one.length === first.length && one.every((id) => first.includes(id))) ? first : null;
}

/**
 * What the crawls of the inventory saw lately of the things that somebody asks for, so that it need
 * not be asked again. Only rows of things that were asked for are kept.
 *
 * **S** (S4) Rows are as old as `maxAgeMs`. They are for what is looked at again and again while
 * nothing is wrong. No verdict, fence or step of a recovery reads them.
 */
export class RecentRows {
  readonly #clock: Clock;
  readonly #maxAgeMs: number;
  /** Action and id → what was seen of it. */
  readonly #wanted = new Map<string, Wanted>();
  #answered = 0;

  constructor(clock: Clock, maxAgeMs: number) {
    this.#clock = clock;
    this.#maxAgeMs = maxAgeMs;
  }

  /** Reads that were answered from rows since the start. */
  get answered(): number {
    return this.#answered;
  }

  /** Rows of a page that was asked for at `askedAtMs`. */
  note(action: string, rows: readonly Raw[], askedAtMs: MonotonicMs): void {
    const how = BY_ID[action];
    if (how === undefined) return;
    for (const row of rows) {
      const wanted = this.#wanted.get(`${action} ${textOf(row[how.id]) ?? ''}`);
      if (wanted) wanted.seen = { row, atMs: askedAtMs };
    }
  }

  /** Forgets what nobody asks for any more, and what is too old. */
  forget(): void {
    const nowMs = this.#clock.monotonicMs();
    for (const [key, wanted] of this.#wanted) {
      if (nowMs - wanted.askedAtMs > WANTED_FOR_MS) this.#wanted.delete(key);
      else if (wanted.seen && nowMs - wanted.seen.atMs > this.#maxAgeMs) wanted.seen = null;
    }
  }

  /** EC2's answer as it would be, where all things that are asked for were seen lately. */
  answer(action: string, input: Raw): Record<string, unknown> | null {
    const how = Object.hasOwn(BY_ID, action) ? BY_ID[action] : undefined;
    const ids = how && idsIn(how, input);
    if (!how || !ids) return null;
    const found = ids.map((id) => this.#seen(`${action} ${id}`));
    const rows = found.flatMap((row) => row ?? []);
    if (rows.length < found.length) return null;
    this.#answered += 1;
    return { [how.rows]: how.within === undefined ? rows : [{ [how.within]: rows }] };
  }

  /** Null: not seen lately. From now on it is kept. */
  #seen(key: string): Raw | null {
    const nowMs = this.#clock.monotonicMs();
    const wanted = this.#wanted.get(key);
    if (wanted === undefined) {
      if (this.#wanted.size < WANTED_MAX) this.#wanted.set(key, { askedAtMs: nowMs, seen: null });
      return null;
    }
    wanted.askedAtMs = nowMs;
    return wanted.seen && nowMs - wanted.seen.atMs <= this.#maxAgeMs ? rawOf(wanted.seen.row) : null;
  }
}

/** Asks only what was not seen lately. */
export const answeredByRows =
  (inner: Ec2Transport, rows: RecentRows): Ec2Transport =>
  async (action, input, options) =>
    rows.answer(action, input) ?? inner(action, input, options);
