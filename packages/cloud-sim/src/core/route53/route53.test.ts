import type { Change, ChangeInfo, ResourceRecordSet } from '@aws-sdk/client-route-53';
import { SimClock } from '@understudy/shared/testing';
import { beforeEach, describe, expect, test } from 'vitest';
import { CloudSim } from '../../cloud-sim.ts';
import { inProcessService } from '../../in-process-service.ts';
import type { Ec2Transport } from '../../transport.ts';

const OLD = '10.0.1.7';
const NEW = '10.0.2.9';
const OPERATORS = '10.9.9.9';

let clock: SimClock;
let sim: CloudSim;
let zoneId: string;
let send: Ec2Transport;

beforeEach(() => {
  clock = new SimClock();
  sim = new CloudSim({ clock, latency: { 'route53.busy': [500, 500], 'route53.insync': [30_000, 30_000] } });
  zoneId = sim.dns.make({ name: 'example.com' }).id;
  sim.dns.setRecord(zoneId, a(OLD));
  send = inProcessService(sim, 'route53');
});

const a = (value: string, part: Partial<ResourceRecordSet> = {}): ResourceRecordSet => ({
  ...{ Name: 'db.example.com', Type: 'A', TTL: 60, ResourceRecords: [{ Value: value }] },
  ...part,
});
const change = (Action: 'CREATE' | 'DELETE' | 'UPSERT', record: ResourceRecordSet): Change => ({
  ...{ Action, ResourceRecordSet: record },
});
async function answered(changes: readonly Change[]): Promise<ChangeInfo> {
  const reply = await clock.runUntilSettled(
    send('ChangeResourceRecordSets', { HostedZoneId: zoneId, ChangeBatch: { Changes: changes } }),
  );
  await clock.advance(1_000);
  return (reply as { ChangeInfo: ChangeInfo }).ChangeInfo;
}
async function refusal(changes: readonly Change[]): Promise<Error> {
  try {
    await answered(changes);
  } catch (error) {
    await clock.advance(1_000);
    return error as Error;
  }
  throw new Error('it was not refused');
}
const shown = () => sim.dns.require(zoneId).records;
const values = () => [...shown().values()].map((one) => one.ResourceRecords?.[0]?.Value);

describe('an operator changes the record while somebody else is about to', () => {
  test('UPSERT overwrites what the operator has just said', async () => {
    await answered([change('UPSERT', a(OPERATORS))]);
    await answered([change('UPSERT', a(NEW))]);
    expect(values()).toEqual([NEW]);
  });
  test('DELETE of the very old one and CREATE in one batch does not', async () => {
    await answered([change('UPSERT', a(OPERATORS))]);
    const error = await refusal([change('DELETE', a(OLD)), change('CREATE', a(NEW))]);
    expect(error).toMatchObject({ name: 'InvalidChangeBatch', $metadata: { httpStatusCode: 400 } });
    expect(error.message).toContain('the values provided do not match the current values');
    expect(values()).toEqual([OPERATORS]);
  });
  test('and does where nobody has changed it, and the same again is refused', async () => {
    const batch = [change('DELETE', a(OLD)), change('CREATE', a(NEW))];
    expect(await answered(batch)).toMatchObject({ Status: 'PENDING' });
    expect(values()).toEqual([NEW]);
    expect((await refusal(batch)).name).toBe('InvalidChangeBatch');
  });
});

describe('a DELETE', () => {
  test.each([
    ['another TTL', a(OLD, { TTL: 61 })],
    ['fewer values', a(OLD)],
    ['no TTL', { Name: 'db.example.com', Type: 'A', ResourceRecords: [{ Value: OLD }] } satisfies ResourceRecordSet],
  ])('with %s than there is, is refused', async (what, wanted) => {
    if (what === 'fewer values')
      sim.dns.setRecord(zoneId, a(OLD, { ResourceRecords: [{ Value: OLD }, { Value: NEW }] }));
    expect((await refusal([change('DELETE', wanted)])).name).toBe('InvalidChangeBatch');
    expect(shown().size).toBe(1);
  });
  test('names its values in any order, and the name in any case', async () => {
    sim.dns.setRecord(zoneId, a(OLD, { ResourceRecords: [{ Value: OLD }, { Value: NEW }] }));
    await answered([
      change('DELETE', a(OLD, { Name: 'DB.Example.COM.', ResourceRecords: [{ Value: NEW }, { Value: OLD }] })),
    ]);
    expect(shown().size).toBe(0);
  });
});

test('one refused change of a batch undoes the others', async () => {
  const error = await refusal([
    change('DELETE', a(OLD)),
    change('CREATE', a(NEW)),
    change('CREATE', a('10.0.0.300', { Name: 'other.example.com' })),
  ]);
  expect(error.message).toContain('ARRDATAIllegalIPv4Address');
  expect(values()).toEqual([OLD]);
});

test('sets of one name are told apart by SetIdentifier: name and type alone find none of them', async () => {
  const blue = a(OLD, { Name: 'w.example.com', SetIdentifier: 'blue', Weight: 10 });
  const green = a(NEW, { Name: 'w.example.com', SetIdentifier: 'green', Weight: 90 });
  sim.dns.setRecord(zoneId, blue);
  sim.dns.setRecord(zoneId, green);
  const naive = await refusal([change('DELETE', a(OLD, { Name: 'w.example.com' }))]);
  expect(naive.message).toContain('it was not found');
  await answered([change('DELETE', blue), change('CREATE', { ...blue, ResourceRecords: [{ Value: OPERATORS }] })]);
  expect([...shown().values()].map((one) => [one.SetIdentifier, one.ResourceRecords?.[0]?.Value])).toContainEqual([
    'blue',
    OPERATORS,
  ]);
});

test('a simple set is not made beside weighted ones', async () => {
  sim.dns.setRecord(zoneId, a(OLD, { Name: 'w.example.com', SetIdentifier: 'blue', Weight: 10 }));
  const error = await refusal([change('CREATE', a(NEW, { Name: 'w.example.com' }))]);
  expect(error.message).toContain('cannot be created as other RRSets exist');
});

test('a protected name and type refuses the whole batch', async () => {
  sim.dns.protect(zoneId, 'db.example.com', 'A', true);
  const error = await refusal([
    change('CREATE', a(NEW, { Name: 'other.example.com' })),
    ...[change('DELETE', a(OLD)), change('CREATE', a(NEW))],
  ]);
  expect(error).toMatchObject({ name: 'InvalidChangeBatch', message: expect.stringContaining('is protected') });
  expect(values()).toEqual([OLD]);
});

test('a zone takes one change at a time', async () => {
  const batch = { HostedZoneId: zoneId, ChangeBatch: { Changes: [change('UPSERT', a(NEW))] } };
  const both = await clock.runUntilSettled(
    Promise.allSettled([send('ChangeResourceRecordSets', batch), send('ChangeResourceRecordSets', batch)]),
  );
  const refused = both.flatMap((one) => (one.status === 'rejected' ? [one.reason as Error] : []));
  expect(refused).toMatchObject([{ name: 'PriorRequestNotComplete', $metadata: { httpStatusCode: 400 } }]);
});

test('a change is shown at once, and takes effect when it is INSYNC', async () => {
  const { Id } = await answered([change('UPSERT', a(NEW))]);
  expect(values()).toEqual([NEW]);
  const status = async () =>
    ((await clock.runUntilSettled(send('GetChange', { Id }))) as { ChangeInfo: ChangeInfo }).ChangeInfo.Status;
  expect(await status()).toBe('PENDING');
  await clock.advance(30_000);
  expect(await status()).toBe('INSYNC');
});

test('names are answered in lower case, with a dot at the end, and odd characters as octal escapes', async () => {
  await answered([change('CREATE', a(NEW, { Name: '*.Apps.example.com' }))]);
  const { ResourceRecordSets } = await clock.runUntilSettled(
    send('ListResourceRecordSets', { HostedZoneId: zoneId, StartRecordName: '\\052.apps.example.com', MaxItems: 1 }),
  );
  expect(ResourceRecordSets).toMatchObject([{ Name: '\\052.apps.example.com.' }]);
});

describe('the buckets', () => {
  test('of requests hold 50 for the whole account, and say so with status 400', async () => {
    const calls = Array.from({ length: 30 }, () => [
      send('ListHostedZones', {}),
      send('GetHostedZone', { Id: zoneId }),
    ]);
    const ended = await clock.runUntilSettled(Promise.allSettled(calls.flat()));
    const refused = ended.flatMap((one) => (one.status === 'rejected' ? [one.reason as Error] : []));
    expect(refused.length).toBeGreaterThan(5);
    expect(refused[0]).toMatchObject({ name: 'Throttling', $metadata: { httpStatusCode: 400 } });
  });
  test.each([
    ['UPSERT', 'refused'],
    ['CREATE', 'taken'],
  ] as const)('of changes count an UPSERT twice: %s is %s', async (action, expected) => {
    const many = (from: number) =>
      Array.from({ length: 450 }, (_, i) => change(action, a(NEW, { Name: `n${from + i}.example.com` })));
    await answered(many(0));
    const second = expected === 'refused' ? (await refusal(many(450))).name : await answered(many(450));
    expect(second).toEqual(expected === 'refused' ? 'Throttling' : expect.objectContaining({ Status: 'PENDING' }));
  });
});

test('in the older form of a refusal, the SDK finds neither its code nor its message', async () => {
  sim.dns.refusesInMessages = true;
  const error = await refusal([change('CREATE', a(NEW))]);
  expect(error).toMatchObject({ name: 'Unknown', $metadata: { httpStatusCode: 400 } });
});

test('two zones, a public and a private one, have the name each for itself', async () => {
  const inside = sim.dns.make({ name: 'example.com', vpcIds: ['vpc-1'] });
  sim.dns.setRecord(inside.id, a(OLD));
  await answered([change('DELETE', a(OLD)), change('CREATE', a(NEW))]);
  expect([...(sim.dns.get(inside.id)?.records.values() ?? [])]).toMatchObject([{ ResourceRecords: [{ Value: OLD }] }]);
});
