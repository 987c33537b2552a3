import { type CloudCallOptions, type CloudInstance, type MemberId, TAG, OperationError } from '@understudy/shared';
import { HELD_BY_NOBODY, type HeldElsewhere, heldElsewhere, keepsAddress } from '../core/held-elsewhere.ts';
import type { CloudReads, Run } from '../run.ts';

/** What was last said of it, so that it is said once. */
export interface HeldMemory {
  heldText: string;
}

/** One read of EC2, as {@link Run.read}. */
type Read = <T>(call: (cloud: CloudReads, options: CloudCallOptions) => Promise<T>) => Promise<T>;

export interface HolderQuestion {
  readonly member: MemberId;
  readonly oldInstanceId: string;
  readonly replacement: Pick<CloudInstance, 'instanceId' | 'subnetId'>;
  /** Private addresses of failed instances. */
  readonly addresses: readonly string[];
}

async function instancesOf(read: Read, ids: readonly string[]): Promise<readonly CloudInstance[]> {
  if (ids.length === 0) return [];
  return read((cloud, options) => cloud.describeInstances({ 'instance-id': ids }, options));
}

/** An instance that a recovery of this very member has fenced. */
const isFencedOfMember = (member: MemberId, { tags }: CloudInstance): boolean =>
  `${tags[TAG.group]}/${tags[TAG.member]}` === member && tags[TAG.fencedBy] !== undefined;

async function vpcOf(read: Read, { instanceId, subnetId }: HolderQuestion['replacement']): Promise<string> {
  const ids = subnetId === null ? [] : [subnetId];
  const found = await read((cloud, options) => cloud.describeSubnets({ 'subnet-id': ids }, options));
  const vpcId = found.find((one) => one.subnetId === subnetId)?.vpcId;
  if (vpcId !== undefined) return vpcId;
  throw new OperationError('CLOUD_UNAVAILABLE', `EC2 does not show the VPC of ${instanceId}`);
}

/**
 * Who else has these private addresses of failed instances by now. The failed instance itself is
 * asked first, by its id: while it keeps its address nobody else has it, and the listing, which
 * fails while any zone is impaired, is not needed.
 * @throws CLOUD_* where that is not known: then nothing is taken from anybody
 */
export async function whoHolds(
  read: Read,
  { member, oldInstanceId, replacement, addresses }: HolderQuestion,
): Promise<HeldElsewhere> {
  if (addresses.length === 0) return HELD_BY_NOBODY;
  const old = (await instancesOf(read, [oldInstanceId])).find((one) => one.instanceId === oldInstanceId);
  const asked = addresses.filter((address) => !old || !keepsAddress(old, address));
  if (asked.length === 0) return HELD_BY_NOBODY;
  const filters = { 'addresses.private-ip-address': asked, 'vpc-id': [await vpcOf(read, replacement)] };
  const seen = await read((cloud, options) => cloud.describeNetworkInterfaces(filters, options));
  const ours = new Set([oldInstanceId, replacement.instanceId]);
  const others = seen.flatMap(({ attachedInstanceId: id }) => (id === null || ours.has(id) ? [] : [id]));
  const fenced = (await instancesOf(read, [...new Set(others)])).filter((one) => isFencedOfMember(member, one));
  return heldElsewhere(asked, seen, new Set([...ours, ...fenced.map((one) => one.instanceId)]));
}

/** {@link whoHolds} for a step of a recovery, which says it once. */
export async function addressHolders(
  run: Run,
  memory: HeldMemory,
  replacement: CloudInstance,
  addresses: readonly string[],
): Promise<HeldElsewhere> {
  const { member, oldInstanceId } = run.record;
  const held = await whoHolds((call) => run.read(call), { member, oldInstanceId, replacement, addresses });
  const text = [...held.values()].join('; ');
  if (text !== '' && text !== memory.heldText) run.parts.log.warn('recovery.address.held_elsewhere', { text });
  memory.heldText = text;
  return held;
}
