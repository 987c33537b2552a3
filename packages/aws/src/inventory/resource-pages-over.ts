import {
  type Clock,
  OperationError,
  type Random,
  type Raw,
  rawListOf,
  type ResourceListing,
  type ResourcePages,
  textOf,
} from '@understudy/shared';
import { retriedReads } from '../ec2/retried-reads.ts';
import type { ServiceLimiters } from '../limits/service-limiters.ts';
import { mapEc2Error } from '../transport/map-error.ts';
import { timedTransport } from '../transport/timed-transport.ts';
import type { Ec2Transport } from '../transport/transport.ts';
import type { RecentRows } from '../batching/recent-rows.ts';

/** Who asks, at the limiter. */
const CALLER = 'inventory';
/** A crawl waits behind everybody else. So it is told that it is a chore. */
const HOW = { mutating: false, urgency: 'chore', caller: CALLER, repeat: true } as const;
/** While others wait for their turn, no page is asked for; it is looked at again after this. */
const GIVES_WAY_MS = 1_000;
/** More than any account has. It ends a listing that would never end. */
const MAX_PAGES = 10_000;

const notTheirs = (listing: ResourceListing, what: string): OperationError =>
  new OperationError('CLOUD_UNAVAILABLE', `${listing.action}: ${what}: it is not the service's own answer`);

/** @throws CLOUD_UNAVAILABLE (S18) */
function rowsIn(listing: ResourceListing, answer: Raw): readonly Raw[] {
  const { rows, within } = listing;
  const list = answer[rows];
  if (!Array.isArray(list)) throw notTheirs(listing, `no ${rows}`);
  if (within === undefined) return rawListOf(list);
  return rawListOf(list).flatMap((row) => {
    const inside = row[within];
    if (!Array.isArray(inside)) throw notTheirs(listing, `no ${within}`);
    return rawListOf(inside);
  });
}

/** What the next page is asked with. Null: there is none. */
function nextOf({ paging }: ResourceListing, answer: Raw): Raw | null {
  switch (paging) {
    case 'token': {
      const NextToken = textOf(answer.NextToken);
      return NextToken === null ? null : { NextToken };
    }
    case 'marker': {
      const Marker = textOf(answer.NextMarker);
      return Marker === null ? null : { Marker };
    }
    case 'record-set': {
      if (answer.IsTruncated !== true) return null;
      const { NextRecordName, NextRecordType, NextRecordIdentifier } = answer;
      const set = NextRecordIdentifier === undefined ? {} : { StartRecordIdentifier: NextRecordIdentifier };
      return { StartRecordName: NextRecordName, StartRecordType: NextRecordType, ...set };
    }
    case 'none':
      return null;
  }
}

export interface ResourcePagesParts {
  /** Sends once, without a wait. */
  readonly transports: Readonly<Record<ResourceListing['service'], Ec2Transport>>;
  readonly clock: Clock;
  /** Random pauses before a page is asked for again. */
  readonly random: Random;
  readonly callTimeoutMs: number;
  /** What all calls to a service wait at. */
  readonly limiters: ServiceLimiters;
  /** Remembers of each page what somebody asks for. */
  readonly recent?: RecentRows;
}

/** With a budget of repeats of its own: what a crawl repeats costs no recovery a repeat. */
function readsOf({ transports, clock, random, callTimeoutMs, limiters }: ResourcePagesParts): typeof transports {
  const reads = (service: ResourceListing['service']): Ec2Transport => {
    const timed = timedTransport(transports[service], clock, callTimeoutMs);
    return retriedReads(limiters.of(service).limited(timed), { clock, random });
  };
  return { ec2: reads('ec2'), elbv2: reads('elbv2'), route53: reads('route53') };
}

/**
 * {@link ResourcePages} over a transport for each service. A page that is asked for twice in a row
 * would be a listing without an end, so it is no answer.
 */
export function resourcePagesOver(parts: ResourcePagesParts): ResourcePages {
  const reads = readsOf(parts);
  const read = async (listing: ResourceListing, input: Raw, signal: AbortSignal | undefined): Promise<Raw> => {
    try {
      return await reads[listing.service](listing.action, { ...input }, { ...HOW, ...(signal && { signal }) });
    } catch (error) {
      throw mapEc2Error(error, { action: listing.action, mutating: false });
    }
  };
  /** A chore still gets one turn in eight. A crawl does not take even those from a recovery. */
  const quiet = async (service: ResourceListing['service'], signal: AbortSignal | undefined): Promise<void> => {
    while (parts.limiters.of(service).isContended) await parts.clock.sleep(GIVES_WAY_MS, signal);
  };
  return {
    async *pages(listing, { signal } = {}) {
      const size = listing.size === null ? {} : { [listing.size.member]: listing.size.value };
      let next: Raw | null = {};
      for (let page = 0; next !== null; page += 1) {
        if (page >= MAX_PAGES) throw notTheirs(listing, `no end after ${MAX_PAGES} pages`);
        await quiet(listing.service, signal);
        const askedAtMs = parts.clock.monotonicMs();
        const answer: Raw = await read(listing, { ...listing.input, ...size, ...next }, signal);
        const rows = rowsIn(listing, answer);
        parts.recent?.note(listing.action, rows, askedAtMs);
        yield rows;
        const before = JSON.stringify(next);
        next = nextOf(listing, answer);
        if (JSON.stringify(next) === before) throw notTheirs(listing, 'the same page again');
      }
    },
  };
}
