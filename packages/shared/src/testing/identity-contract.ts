import { strict as assert } from 'node:assert';
import { type ErrorCode, isOperationError } from '../errors.ts';
import type { DnsRecords } from '../ports/dns-records.ts';
import type { RegisteredTarget, TargetGroups } from '../ports/target-groups.ts';

export type IdentityContractFault = 'throttle' | 'internal-error' | 'foreign-answer' | 'lost-reply';

/** What the suite needs of an environment that has zones and target groups. */
export interface IdentityContractFixture {
  readonly dns: DnsRecords;
  readonly targetGroups: TargetGroups;
  /** A public zone `example.com` with one record, `db.example.com A 10.0.0.1`; returns its id. */
  zone(): Promise<string>;
  protect(zoneId: string, name: string): Promise<void>;
  /** Refusals of batches come in the older form from now on, or not any more. */
  olderForm(on: boolean): Promise<void>;
  /** A target group on port 80, on a balancer in all zones. */
  targetGroup(): Promise<string>;
  runningInstance(): Promise<string>;
  stoppedInstance(): Promise<string>;
  /** The next call of this action fails like this. */
  fault(action: string, kind: IdentityContractFault): Promise<{ firedCount(): Promise<number> }>;
  sleep(durationMs: number): Promise<void>;
}

export interface IdentityContractCase {
  readonly name: string;
  run(fixture: IdentityContractFixture): Promise<void>;
}

async function refused(work: Promise<unknown>, ...codes: readonly ErrorCode[]): Promise<void> {
  try {
    await work;
  } catch (error) {
    assert.ok(isOperationError(error), `want an OperationError, got ${String(error)}`);
    assert.ok(codes.includes(error.code), `want ${codes.join(' or ')}, got ${error.message}`);
    return;
  }
  assert.fail(`want ${codes.join(' or ')}, but it succeeded`);
}

const NAMED = { name: 'DB.example.com', type: 'A' };
const set = (value: string): Record<string, unknown> => ({
  ...{ Name: 'db.example.com.', Type: 'A', TTL: 60, ResourceRecords: [{ Value: value }] },
});

async function only(f: IdentityContractFixture, zoneId: string) {
  const [record, ...others] = await f.dns.describeRecords(zoneId, NAMED);
  assert.ok(record);
  assert.deepEqual(others, []);
  return record;
}

/** A zone that is still busy with a change is asked again. */
async function swap(f: IdentityContractFixture, zoneId: string, old: object, fresh: object): Promise<string> {
  for (let tries = 0; ; tries += 1) {
    try {
      const wanted = { zoneId, old: { ...old }, fresh: { ...fresh }, comment: 'op-1' };
      return (await f.dns.swapRecord(wanted)).changeId;
    } catch (error) {
      if (!isOperationError(error) || error.code !== 'CLOUD_THROTTLED' || tries >= 20) throw error;
      await f.sleep(500);
    }
  }
}

const RECORDS: readonly IdentityContractCase[] = [
  {
    name: 'a record is shown with its normalised name, and every member of it',
    async run(f) {
      const record = await only(f, await f.zone());
      assert.deepEqual(
        { name: record.name, type: record.type, setIdentifier: record.setIdentifier, values: record.values },
        { name: 'db.example.com.', type: 'A', setIdentifier: null, values: ['10.0.0.1'] },
      );
      assert.deepEqual(record.exact, set('10.0.0.1'));
    },
  },
  {
    name: 'a record is swapped for exactly the old one, and the change comes to be in sync',
    async run(f) {
      const zoneId = await f.zone();
      const changeId = await swap(f, zoneId, (await only(f, zoneId)).exact, set('10.0.0.2'));
      assert.deepEqual((await only(f, zoneId)).values, ['10.0.0.2']);
      for (let looks = 0; (await f.dns.describeChange(changeId)) !== 'INSYNC'; looks += 1) {
        assert.ok(looks < 400, 'the change never came to be in sync');
        await f.sleep(1_000);
      }
    },
  },
  {
    name: 'a record that somebody has changed is not swapped, nor is one that was swapped already',
    async run(f) {
      const zoneId = await f.zone();
      const { exact } = await only(f, zoneId);
      await swap(f, zoneId, exact, set('10.9.9.9'));
      await refused(swap(f, zoneId, exact, set('10.0.0.2')), 'CLOUD_CONFLICT');
      assert.deepEqual((await only(f, zoneId)).values, ['10.9.9.9']);
    },
  },
  {
    name: 'in the older form of a refusal nothing is taken for more than it says',
    async run(f) {
      const zoneId = await f.zone();
      await f.olderForm(true);
      await refused(swap(f, zoneId, set('10.0.0.9'), set('10.0.0.2')), 'CLOUD_CONFLICT', 'CLOUD_OUTCOME_UNKNOWN');
      await f.olderForm(false);
      assert.deepEqual((await only(f, zoneId)).values, ['10.0.0.1']);
    },
  },
  {
    name: 'a protected name is not changed',
    async run(f) {
      const zoneId = await f.zone();
      await f.protect(zoneId, 'db.example.com');
      await refused(swap(f, zoneId, set('10.0.0.1'), set('10.0.0.2')), 'CLOUD_CONFLICT');
    },
  },
  {
    name: 'a zone, and a change, that do not exist are told as such',
    async run(f) {
      await refused(f.dns.describeRecords('ZNOBODY', NAMED), 'CLOUD_NOT_FOUND');
      await refused(f.dns.describeZone('ZNOBODY'), 'CLOUD_NOT_FOUND');
      await refused(f.dns.describeChange('/change/CNOBODY'), 'CLOUD_NOT_FOUND');
    },
  },
  {
    name: 'a whole zone is listed page by page',
    async run(f) {
      const zoneId = await f.zone();
      assert.equal((await f.dns.describeZone(zoneId)).length, 1);
    },
  },
];

const target = (id: string, port: number): RegisteredTarget => ({ id, port, az: null, quicServerId: null });

const TARGETS: readonly IdentityContractCase[] = [
  {
    name: 'an instance is registered on several ports, and taken out of one',
    async run(f) {
      const [arn, id] = [await f.targetGroup(), await f.runningInstance()];
      await f.targetGroups.registerTargets(arn, [target(id, 80), target(id, 8_080)]);
      await f.targetGroups.registerTargets(arn, [target(id, 80)]);
      const seen = await f.targetGroups.describeTargets(arn);
      assert.deepEqual(
        seen.toSorted((a, b) => a.port - b.port).map((one) => [one.id, one.port, one.state]),
        [
          [id, 80, 'initial'],
          [id, 8_080, 'initial'],
        ],
      );
      await f.targetGroups.deregisterTargets(arn, [target(id, 8_080)]);
      const left = (await f.targetGroups.describeTargets(arn)).filter((one) => one.state !== 'draining');
      assert.deepEqual(
        left.map((one) => one.port),
        [80],
      );
    },
  },
  {
    name: 'one that is stopped is refused, and one that is not registered is taken out with success',
    async run(f) {
      const [arn, id] = [await f.targetGroup(), await f.stoppedInstance()];
      await refused(f.targetGroups.registerTargets(arn, [target(id, 80)]), 'CLOUD_CONFLICT');
      await f.targetGroups.deregisterTargets(arn, [target(id, 80)]);
      assert.deepEqual(await f.targetGroups.describeTargets(arn), []);
    },
  },
  {
    name: 'groups are found, with their balancers and those balancers’ zones',
    async run(f) {
      const arn = await f.targetGroup();
      const [group] = await f.targetGroups.describeGroups([arn]);
      assert.equal(group?.targetType, 'instance');
      assert.ok((await f.targetGroups.describeGroups(null)).some((one) => one.arn === arn));
      const zones = await f.targetGroups.describeBalancerZones(group.loadBalancerArns);
      assert.ok((zones.get(group.loadBalancerArns[0] ?? '') ?? []).length > 0);
      await refused(f.targetGroups.describeGroups([`${arn}0`]), 'CLOUD_NOT_FOUND');
      await refused(f.targetGroups.describeTargets(`${arn}0`), 'CLOUD_NOT_FOUND');
    },
  },
];

const READ: readonly (readonly [IdentityContractFault, ErrorCode])[] = [
  ['throttle', 'CLOUD_THROTTLED'],
  ['internal-error', 'CLOUD_UNAVAILABLE'],
  ['foreign-answer', 'CLOUD_UNAVAILABLE'],
  ['lost-reply', 'CLOUD_UNAVAILABLE'],
];
const CHANGE = READ.map(
  ([kind, code]) => [kind, code === 'CLOUD_UNAVAILABLE' ? 'CLOUD_OUTCOME_UNKNOWN' : code] as const,
);

const faultCase = (
  kind: IdentityContractFault,
  code: ErrorCode,
  [action, work]: readonly [string, (f: IdentityContractFixture) => Promise<unknown>],
): IdentityContractCase => ({
  name: `${action}, ${kind}: ${code}`,
  async run(f) {
    const fault = await f.fault(action, kind);
    await refused(work(f), code);
    assert.equal(await fault.firedCount(), 1);
  },
});

const READS: readonly (readonly [string, (f: IdentityContractFixture) => Promise<unknown>])[] = [
  ['route53:ListResourceRecordSets', async (f) => f.dns.describeRecords(await f.zone(), NAMED)],
  ['elasticloadbalancing:DescribeTargetHealth', async (f) => f.targetGroups.describeTargets(await f.targetGroup())],
];
const CHANGES: readonly (readonly [string, (f: IdentityContractFixture) => Promise<unknown>])[] = [
  [
    'route53:ChangeResourceRecordSets',
    async (f) =>
      f.dns.swapRecord({ zoneId: await f.zone(), old: set('10.0.0.1'), fresh: set('10.0.0.2'), comment: '' }),
  ],
  [
    'elasticloadbalancing:RegisterTargets',
    async (f) => f.targetGroups.registerTargets(await f.targetGroup(), [target(await f.runningInstance(), 80)]),
  ],
  [
    'elasticloadbalancing:DeregisterTargets',
    async (f) => f.targetGroups.deregisterTargets(await f.targetGroup(), [target('i-1', 80)]),
  ],
];

/** Every implementation of {@link DnsRecords} and {@link TargetGroups} passes these. */
export const IDENTITY_CONTRACT: readonly IdentityContractCase[] = [
  ...RECORDS,
  ...TARGETS,
  ...READS.flatMap((read) => READ.map(([kind, code]) => faultCase(kind, code, read))),
  ...CHANGES.flatMap((change) => CHANGE.map(([kind, code]) => faultCase(kind, code, change))),
];
