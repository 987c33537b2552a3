import { DescribeAddressesCommand, DescribeInstancesCommand } from '@aws-sdk/client-ec2';
import type { Launch } from '@understudy/cloud-sim';
import { ActivationRecordSchema, type HistoryRecord, keyspace, parseRecord, TAG } from '@understudy/shared';
import { expect } from 'vitest';
import { present, type Struck } from '../../faults/strike.ts';
import type { StruckCluster } from './struck-cluster.ts';

const KEYS = keyspace();

async function instancesTagged(cluster: StruckCluster, opId: string): Promise<(string | undefined)[]> {
  const Filters = [{ Name: `tag:${TAG.op}`, Values: [opId] }];
  const { Reservations = [] } = await cluster.ec2.send(new DescribeInstancesCommand({ Filters }));
  return Reservations.flatMap(({ Instances = [] }) => Instances.map((one) => `${one.InstanceId} ${one.State?.Name}`));
}

async function stateOf(cluster: StruckCluster, instanceId: string): Promise<string | undefined> {
  const { Reservations } = await cluster.ec2.send(new DescribeInstancesCommand({ InstanceIds: [instanceId] }));
  return Reservations?.[0]?.Instances?.[0]?.State?.Name;
}

async function addressHolder(cluster: StruckCluster, allocationId: string): Promise<string | undefined> {
  const { Addresses } = await cluster.ec2.send(new DescribeAddressesCommand({ AllocationIds: [allocationId] }));
  return Addresses?.[0]?.InstanceId;
}

/** What the tests read of `GET /_sim/state`. */
interface SimState {
  readonly launches: readonly Launch[];
  readonly volumes: readonly {
    readonly snapshotId: string | null;
    readonly attachments: readonly { readonly instanceId: string }[];
  }[];
  readonly snapshots: readonly { readonly id: string; readonly tags: Readonly<Record<string, string>> }[];
}

/**
 * Number of each snapshot set a volume of this instance comes from: more than one would mix two
 * moments.
 */
function setsOf({ volumes, snapshots }: SimState, instanceId: string): (string | undefined)[] {
  const own = volumes.filter((one) => one.attachments.some((attachment) => attachment.instanceId === instanceId));
  return own.map((volume) => snapshots.find((one) => one.id === volume.snapshotId)?.tags[TAG.snapshotSet]);
}

/**
 * One launch, one activation, disks of one moment, the address and nothing else where they belong:
 * by EC2, by the simulator and by etcd.
 */
export async function expectReplacedOnce(
  cluster: StruckCluster,
  struck: Struck,
  history: HistoryRecord,
): Promise<void> {
  const { member, opId, old } = struck;
  const state = (await (await fetch(`${cluster.cloudUrl}/_sim/state`)).json()) as SimState;
  const launches = state.launches.filter((one) => one.tags[TAG.op] === opId);
  expect(launches).toHaveLength(1);
  const newInstanceId = present(launches[0]).instanceId;
  const [rootSet, dataSet] = setsOf(state, newInstanceId);
  expect(rootSet).toBeDefined();
  expect(dataSet).toBe(rootSet);
  expect(await instancesTagged(cluster, opId)).toEqual([`${newInstanceId} running`]);
  expect(history).toMatchObject({ outcome: 'replaced', newInstanceId, newIncarnation: 2, launchAttempts: 1 });
  expect(history.leaderChanges).toBeGreaterThanOrEqual(1);
  expect(cluster.activated.get(member)).toEqual([1, 2]);
  const key = KEYS.activation(member);
  const activation = parseRecord(ActivationRecordSchema, key, present(await cluster.store.get(key)).value);
  expect(activation).toMatchObject({ instanceId: newInstanceId, incarnation: 2, opId });
  expect(await addressHolder(cluster, present(old.allocationId))).toBe(newInstanceId);
  expect(await stateOf(cluster, old.instanceId)).toBe('stopped');
}
