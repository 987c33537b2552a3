import type { Raw, ResourceListing } from '@understudy/shared';
import { SeededRandom, SimClock } from '@understudy/shared/testing';
import { describe, expect, it } from 'vitest';
import { ServiceLimiters } from '../limits/service-limiters.ts';
import type { Ec2CallOptions, Ec2Transport } from '../transport/transport.ts';
import { resourcePagesOver } from './resource-pages-over.ts';

interface Sent {
  readonly action: string;
  readonly input: Raw;
  readonly options: Ec2CallOptions | undefined;
}

/** Pages over a transport that answers what it is given, one after the other. */
function setUp(answers: readonly (Raw | Error)[]) {
  const clock = new SimClock();
  const sent: Sent[] = [];
  const send: Ec2Transport = async (action, input, options) => {
    const answer = answers[sent.length] ?? {};
    sent.push({ action, input, options });
    if (answer instanceof Error) throw answer;
    return answer;
  };
  const limiters = new ServiceLimiters({ clock });
  const limiter = limiters.of('ec2');
  const transports = { ec2: send, elbv2: send, route53: send };
  const pages = resourcePagesOver({ transports, clock, random: new SeededRandom(1), callTimeoutMs: 1_000, limiters });
  const listed = async (listing: ResourceListing): Promise<Raw[]> => {
    const found: Raw[] = [];
    for await (const page of pages.pages(listing)) found.push(...page);
    return found;
  };
  return { clock, sent, limiter, pages, list: (listing: ResourceListing) => clock.runUntilSettled(listed(listing)) };
}

const VOLUMES: ResourceListing = {
  ...{ service: 'ec2', action: 'DescribeVolumes', rows: 'Volumes', input: {}, paging: 'token' },
  size: { member: 'MaxResults', value: 100 },
};
const volume = (id: string) => ({ VolumeId: id });
const coded = (name: string) => Object.assign(new Error(name), { name, $fault: 'server' });

describe('pages of resources', () => {
  it('are asked for one after the other, as a chore of the inventory', async () => {
    const { list, sent } = setUp([{ Volumes: [volume('vol-1')], NextToken: 'a' }, { Volumes: [volume('vol-2')] }]);
    expect(await list(VOLUMES)).toEqual([volume('vol-1'), volume('vol-2')]);
    expect(sent.map(({ input }) => input)).toEqual([{ MaxResults: 100 }, { MaxResults: 100, NextToken: 'a' }]);
    for (const { options } of sent)
      expect(options).toMatchObject({ urgency: 'chore', caller: 'inventory', mutating: false });
  });

  it('go on by the marker of Elastic Load Balancing', async () => {
    const listing: ResourceListing = {
      ...{
        service: 'elbv2',
        action: 'DescribeTargetGroups',
        rows: 'TargetGroups',
        input: {},
        paging: 'marker',
        size: null,
      },
    };
    const { list, sent } = setUp([{ TargetGroups: [{}], NextMarker: 'm' }, { TargetGroups: [{}] }]);
    expect(await list(listing)).toHaveLength(2);
    expect(sent[1]?.input).toEqual({ Marker: 'm' });
  });

  it('go on by the three names of Route 53', async () => {
    const listing: ResourceListing = {
      ...{ service: 'route53', action: 'ListResourceRecordSets', rows: 'ResourceRecordSets', paging: 'record-set' },
      ...{ input: { HostedZoneId: 'Z1' }, size: null },
    };
    const more = { IsTruncated: true, NextRecordName: 'b.', NextRecordType: 'A', NextRecordIdentifier: 's' };
    const { list, sent } = setUp([{ ResourceRecordSets: [{}], ...more }, { ResourceRecordSets: [{}] }]);
    expect(await list(listing)).toHaveLength(2);
    expect(sent[1]?.input).toEqual({
      ...{ HostedZoneId: 'Z1', StartRecordName: 'b.', StartRecordType: 'A', StartRecordIdentifier: 's' },
    });
  });

  it('are asked for again when one fails in passing', async () => {
    const { list, sent } = setUp([coded('InternalError'), { Volumes: [volume('vol-1')] }]);
    expect(await list(VOLUMES)).toHaveLength(1);
    expect(sent).toHaveLength(2);
  });

  it.each([
    ['without its list', [{}]],
    [
      'with the token that asked for it',
      [
        { Volumes: [], NextToken: 'a' },
        { Volumes: [], NextToken: 'a' },
      ],
    ],
  ])('are no answer %s (S18)', async (_, answers) => {
    await expect(setUp(answers).list(VOLUMES)).rejects.toMatchObject({ code: 'CLOUD_UNAVAILABLE' });
  });

  it('say what they may not list', async () => {
    const denied = Object.assign(new Error('no'), { name: 'UnauthorizedOperation', $fault: 'client' });
    await expect(setUp([denied]).list(VOLUMES)).rejects.toMatchObject({ code: 'CLOUD_DENIED' });
  });
});

describe('a crawl beside a mass recovery', () => {
  const READS = 400;

  /** When the reads of a mass recovery have all been answered, after its beginning. */
  async function recoveredAfterMs(withCrawl: boolean): Promise<{ readonly ms: number; readonly pages: number }> {
    const endless = Array.from({ length: 10_000 }, (_, page) => ({ Volumes: [], NextToken: `${page}` }));
    const { clock, limiter, pages, sent } = setUp(endless);
    const stop = new AbortController();
    const crawl = (async () => {
      for await (const _ of pages.pages(VOLUMES, { signal: stop.signal })) await clock.sleep(250, stop.signal);
    })().catch(() => undefined);
    if (!withCrawl) stop.abort();
    await clock.advance(30_000);
    const before = sent.length;
    const read = limiter.limited(async () => ({ Volumes: [] }));
    const startedAtMs = clock.monotonicMs();
    const reads = Array.from({ length: READS }, (_, at) =>
      read('DescribeVolumes', {}, { mutating: false, caller: `recovery-${at % 20}` }),
    );
    await clock.runUntilSettled(Promise.all(reads));
    const ms = clock.monotonicMs() - startedAtMs;
    stop.abort();
    await crawl;
    return { ms, pages: sent.length - before };
  }

  it('keeps the recovery waiting for one page at most', async () => {
    const alone = await recoveredAfterMs(false);
    const beside = await recoveredAfterMs(true);
    expect(alone.ms).toBeGreaterThan(20_000);
    // A token of DescribeVolumes comes back in 83 ms, at our share of 20 a second.
    expect(beside.ms - alone.ms).toBeLessThanOrEqual(84);
    expect(beside.pages).toBeLessThanOrEqual(1);
  });
});
