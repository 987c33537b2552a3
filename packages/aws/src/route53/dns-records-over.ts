import {
  type CloudCallOptions,
  type DnsRecords,
  type DnsRecordSet,
  normalisedDnsName,
  OperationError,
  type Raw,
  rawListOf,
  rawOf,
  textOf,
} from '@understudy/shared';
import { type SendOnce, sendOnce, type ServiceOptions } from '../transport/send-once.ts';
import { ROUTE53_ACTIONS, type Route53Action } from './actions.ts';

const PAGES_MAX = 200;

const notTheirs = (action: string, what: string): OperationError =>
  new OperationError('CLOUD_UNAVAILABLE', `${action}: ${what}: it is not Route 53's answer`);

/** @throws CLOUD_UNAVAILABLE for what is no record set (S18) */
function recordIn(raw: Raw): DnsRecordSet {
  const [name, type] = [textOf(raw.Name), textOf(raw.Type)];
  if (name === null || type === null) throw notTheirs('ListResourceRecordSets', 'a set without name or type');
  const values = rawListOf(raw.ResourceRecords).map((one) => textOf(one.Value) ?? '');
  const exact = Object.fromEntries(Object.entries(raw).filter(([, value]) => value !== undefined));
  return { name: normalisedDnsName(name), type, setIdentifier: textOf(raw.SetIdentifier), values, exact };
}

interface Page {
  readonly records: readonly DnsRecordSet[];
  /** Where the next page begins. Null: there is none. */
  readonly next: Record<string, unknown> | null;
}

async function pageOf(
  send: SendOnce<Route53Action>,
  input: Record<string, unknown>,
  options?: CloudCallOptions,
): Promise<Page> {
  const answer = await send('ListResourceRecordSets', input, options);
  const { ResourceRecordSets, IsTruncated, NextRecordName, NextRecordType, NextRecordIdentifier } = answer;
  if (!Array.isArray(ResourceRecordSets)) throw notTheirs('ListResourceRecordSets', 'no ResourceRecordSets');
  const next = {
    ...{ StartRecordName: NextRecordName, StartRecordType: NextRecordType },
    ...(NextRecordIdentifier === undefined ? {} : { StartRecordIdentifier: NextRecordIdentifier }),
  };
  return { records: rawListOf(ResourceRecordSets).map(recordIn), next: IsTruncated === true ? next : null };
}

/** Pages from `start` on, as long as `goesOn` says of the last set of a page. */
async function listed(
  send: SendOnce<Route53Action>,
  {
    zoneId,
    start,
    goesOn,
  }: { zoneId: string; start: Record<string, unknown>; goesOn: (last: DnsRecordSet) => boolean },
  options?: CloudCallOptions,
): Promise<readonly DnsRecordSet[]> {
  const found: DnsRecordSet[] = [];
  let from: Record<string, unknown> | null = start;
  for (let pages = 0; from !== null; pages += 1) {
    if (pages >= PAGES_MAX) throw notTheirs('ListResourceRecordSets', `more than ${PAGES_MAX} pages`);
    const { records, next }: Page = await pageOf(send, { HostedZoneId: zoneId, ...from }, options);
    found.push(...records);
    const last = records.at(-1);
    from = last && goesOn(last) ? next : null;
  }
  return found;
}

/** {@link DnsRecords} over a transport. */
export function dnsRecordsOver(parts: ServiceOptions): DnsRecords {
  const send = sendOnce(parts, ROUTE53_ACTIONS);
  return {
    describeRecords: async (zoneId, { name, type }, options) => {
      const wanted = normalisedDnsName(name);
      const isWanted = (one: DnsRecordSet) => one.name === wanted && one.type === type;
      const start = { StartRecordName: wanted, StartRecordType: type };
      return (await listed(send, { zoneId, start, goesOn: isWanted }, options)).filter(isWanted);
    },
    describeZone: (zoneId, options) => listed(send, { zoneId, start: {}, goesOn: () => true }, options),
    swapRecord: async ({ zoneId, old, fresh, comment }, options) => {
      const Changes = [
        { Action: 'DELETE', ResourceRecordSet: old },
        { Action: 'CREATE', ResourceRecordSet: fresh },
      ];
      const input = { HostedZoneId: zoneId, ChangeBatch: { Changes, Comment: comment } };
      const answer = await send('ChangeResourceRecordSets', input, options);
      const changeId = textOf(rawOf(answer.ChangeInfo).Id);
      if (changeId !== null) return { changeId };
      throw new OperationError('CLOUD_OUTCOME_UNKNOWN', 'ChangeResourceRecordSets: the answer has no change');
    },
    describeChange: async (changeId, options) => {
      const { ChangeInfo } = await send('GetChange', { Id: changeId }, options);
      const { Id, Status } = rawOf(ChangeInfo);
      const bare = (id: unknown) => textOf(id)?.replace(/^\/?change\//, '');
      if (bare(Id) !== bare(changeId) || (Status !== 'PENDING' && Status !== 'INSYNC'))
        throw notTheirs('GetChange', `it is not about ${changeId}`);
      return Status;
    },
  };
}
