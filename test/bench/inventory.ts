import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type HistoryQuery, type InventoryHistory, parseCondition, SqlHistory, SqliteSql } from '@understudy/inventory';
import type { Raw } from '@understudy/shared';
import type { Bench, BenchRow } from './bench.ts';

const INSTANCES = 10_000;
const DAYS = 30;
/** Every instance is stopped and started once a day, which few fleets do. */
const CHANGES_PER_DAY = 2;
const DAY_MS = 86_400_000;
const START_WALL_MS = Date.parse('2026-10-30T00:00:00Z');
const PAGE = 1_000;

const hex = (number: number): string => number.toString(16).padStart(17, '0');

/** An instance as DescribeInstances has it, with two disks, two groups and ten tags: 2.4 KB. */
function instance(number: number, change: number): Raw {
  const id = hex(number);
  const running = change % 2 === 0;
  const launchedAtWallMs = START_WALL_MS + Math.floor(change / 2) * DAY_MS + number;
  const disk = (name: string, at: number) => ({
    DeviceName: name,
    Ebs: {
      AttachTime: new Date(START_WALL_MS),
      DeleteOnTermination: true,
      Status: 'attached',
      VolumeId: `vol-${hex(number * 2 + at)}`,
    },
  });
  return {
    ...{
      AmiLaunchIndex: 0,
      ImageId: `ami-${hex(7)}`,
      InstanceId: `i-${id}`,
      InstanceType: 'm7g.large',
      KeyName: 'ops',
    },
    LaunchTime: new Date(launchedAtWallMs),
    ...{ Architecture: 'arm64', EbsOptimized: true, EnaSupport: true, Hypervisor: 'xen', VirtualizationType: 'hvm' },
    Placement: { AvailabilityZone: `us-east-1${'abc'[number % 3] ?? 'a'}`, GroupName: '', Tenancy: 'default' },
    State: running ? { Code: 16, Name: 'running' } : { Code: 80, Name: 'stopped' },
    StateReason: running
      ? undefined
      : { Code: 'Client.UserInitiatedShutdown', Message: 'Client.UserInitiatedShutdown' },
    ...{
      PrivateDnsName: `ip-10-${number >> 8}-${number & 255}-1.ec2.internal`,
      PrivateIpAddress: `10.1.${number >> 8}.${number & 255}`,
    },
    ...{
      SubnetId: `subnet-${hex(number % 12)}`,
      VpcId: `vpc-${hex(1)}`,
      RootDeviceName: '/dev/xvda',
      RootDeviceType: 'ebs',
    },
    BlockDeviceMappings: [disk('/dev/xvda', 0), disk('/dev/sdf', 1)],
    NetworkInterfaces: [
      {
        ...{
          NetworkInterfaceId: `eni-${id}`,
          MacAddress: '02:00:00:00:00:01',
          Status: 'in-use',
          SourceDestCheck: true,
        },
        Attachment: { AttachmentId: `eni-attach-${id}`, DeviceIndex: 0, Status: 'attached' },
        PrivateIpAddresses: [{ Primary: true, PrivateIpAddress: `10.1.${number >> 8}.${number & 255}` }],
      },
    ],
    SecurityGroups: [1, 2].map((group) => ({ GroupId: `sg-${hex(group)}`, GroupName: `group-${group}` })),
    MetadataOptions: { HttpEndpoint: 'enabled', HttpPutResponseHopLimit: 2, HttpTokens: 'required', State: 'applied' },
    Tags: Array.from({ length: 10 }, (_, tag) => ({ Key: `example:tag-${tag}`, Value: `value ${number} ${tag}` })),
  };
}

/** A crawl in which every instance is as after so many changes. */
async function crawl(history: InventoryHistory, atWallMs: number, change: number): Promise<void> {
  const name = { crawl: `1-${atWallMs}`, kind: 'instance' };
  for (let at = 0; at < INSTANCES; at += 100)
    await history.page(
      name,
      '',
      Array.from({ length: 100 }, (_, number) => instance(at + number, change)),
    );
  await history.finish({
    ...{
      ...name,
      term: 1,
      writer: 'c1',
      deeds: [],
      atWallMs,
      rows: INSTANCES,
      isComplete: true,
      detail: '',
      gapMs: DAY_MS,
    },
  });
}

/** Every page of it. How many versions there were. */
async function all(history: InventoryHistory, query: Pick<HistoryQuery, 'span' | 'where' | 'id'>): Promise<number> {
  let found = 0;
  let after: string | null = null;
  do {
    const page = await history.versions({ kind: 'instance', limit: PAGE, after, ...query });
    found += page.versions.length;
    after = page.next;
  } while (after !== null);
  return found;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAtMs = performance.now();
  await work();
  return performance.now() - startedAtMs;
}

/** A ratio that has to stay below its budget, and a figure for people. */
const below = (what: string, ratio: number, budget: number, unit: string): BenchRow => ({
  ...{ what, measured: ratio, budget: `≤ ${budget}`, unit, ok: ratio <= budget },
});

/** 10 000 instances for 30 days in SQLite: how large, and how long questions take. */
export const inventoryHistory: Bench = async () => {
  const folder = mkdtempSync(join(tmpdir(), 'inventory-bench-'));
  const file = join(folder, 'history.sqlite');
  const history = await SqlHistory.over(SqliteSql.open(file));
  const step = DAY_MS / CHANGES_PER_DAY;
  const rows: BenchRow[] = [];
  try {
    await crawl(history, START_WALL_MS, 0);
    const at = (wallMs: number) => ({ span: { kind: 'at', atWallMs: wallMs }, where: [], id: null }) as const;
    const youngMs = await timed(() => all(history, at(START_WALL_MS)));
    for (let change = 1; change <= DAYS * CHANGES_PER_DAY; change += 1)
      await crawl(history, START_WALL_MS + change * step, change);
    const endWallMs = START_WALL_MS + DAYS * DAY_MS;
    const quietMs = await timed(() => crawl(history, endWallMs + 1_000, DAYS * CHANGES_PER_DAY));
    const middle = START_WALL_MS + (DAYS / 2) * DAY_MS;
    const fleetMs = await timed(() => all(history, at(middle)));
    const where = [
      parseCondition('Placement.AvailabilityZone=us-east-1b'),
      parseCondition('Tags[example:tag-3]~^value 77'),
    ];
    const fieldMs = await timed(() => all(history, { ...at(middle), where }));
    const one = `i-${hex(4_711)}`;
    const oneMs = await timed(() => history.version('instance', one, middle));
    const span = { kind: 'valid', fromWallMs: 0, toWallMs: endWallMs } as const;
    const versionsMs = await timed(() => all(history, { span, where: [], id: one }));
    const day = { kind: 'instance', id: null, where: [], after: null, limit: PAGE };
    const diffMs = await timed(() => history.differences({ ...day, fromWallMs: middle, toWallMs: middle + step }));
    const versions = INSTANCES * (DAYS * CHANGES_PER_DAY + 1);
    const sizeBytes = statSync(file).size;
    const textBytes = JSON.stringify(instance(4_711, 1)).length;
    const facts = (text: string) => `${(versions / 1_000).toFixed(0)} 000 versions, ${text}`;
    rows.push(
      below(
        'history on disk ÷ documents as text',
        sizeBytes / versions / textBytes,
        0.6,
        facts(`${(sizeBytes / 1e6).toFixed(0)} MB, ${(sizeBytes / versions).toFixed(0)} bytes each`),
      ),
      below(
        'the fleet at a time in 30 days ÷ in one crawl',
        fleetMs / youngMs,
        5,
        `${fleetMs.toFixed(0)} ms for 10 000 documents`,
      ),
      below('the fleet by two fields ÷ the whole fleet', fieldMs / fleetMs, 3, `${fieldMs.toFixed(0)} ms`),
      below('one at a time ÷ the fleet', oneMs / fleetMs, 0.05, `${oneMs.toFixed(1)} ms`),
      below('every version of one ÷ the fleet', versionsMs / fleetMs, 0.2, `${versionsMs.toFixed(1)} ms for 61`),
      below('first page of what differs after half a day ÷ the fleet', diffMs / fleetMs, 1, `${diffMs.toFixed(0)} ms`),
      below(
        'a crawl in which nothing changed ÷ the fleet',
        quietMs / fleetMs,
        10,
        `${quietMs.toFixed(0)} ms in the thread of the history`,
      ),
    );
    return rows;
  } finally {
    await history.close();
    rmSync(folder, { recursive: true });
  }
};
