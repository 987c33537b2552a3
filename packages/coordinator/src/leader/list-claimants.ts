import { type Cloud, type CloudInstance, type CloudTagged, hasCode, TAG } from '@understudy/shared';

export interface Listed {
  readonly instances: readonly CloudInstance[];
  /** Tagged as ours, in a zone that EC2 cannot be asked about now. */
  readonly unseen: readonly CloudTagged[];
}

export interface ListingOptions {
  readonly cloud: Cloud;
  /** Zone of an instance as last known; null for one we do not know. */
  readonly zoneOf: (instanceId: string) => string | null;
  readonly signal: AbortSignal;
}

/** The tags a claim is judged by. */
const CLAIM_TAGS = [TAG.group, TAG.member, TAG.op, TAG.retiredBy];
/**
 * Instances of unknown zone are asked about one by one, since one in the impaired zone would fail
 * the others; the rest counts as unseen.
 */
const STRANGERS_MAX = 50;

/**
 * Every instance that carries our group tag, or (no member for it, and shown as such) only our
 * member tag. One listing, which EC2 fails as long as any zone is impaired; then by tags first
 * (they belong to no zone), and zone by zone for the rest, so that one lost zone does not stop the
 * watch over the others.
 * @throws what the listing threw, when no zone can be read either.
 */
export async function listClaimants(options: ListingOptions): Promise<Listed> {
  const { cloud, signal } = options;
  try {
    return {
      instances: await cloud.describeInstances({ 'tag-key': [TAG.group, TAG.member] }, { signal, urgency: 'chore' }),
      unseen: [],
    };
  } catch (error) {
    if (!hasCode(error, 'CLOUD_UNAVAILABLE')) throw error;
    const listed = await listByZone(options);
    if (listed.instances.length === 0) throw error;
    return listed;
  }
}

async function listByZone({ cloud, zoneOf, signal }: ListingOptions): Promise<Listed> {
  const tagged = await cloud.describeInstanceTags(CLAIM_TAGS, { signal, urgency: 'chore' });
  const ours = tagged.filter((one) => one.tags[TAG.group] !== undefined);
  const strangers = ours.filter((one) => zoneOf(one.instanceId) === null);
  const known = ours.filter((one) => zoneOf(one.instanceId) !== null);
  const askable = [
    ...Map.groupBy(known, (one) => zoneOf(one.instanceId)).values(),
    ...strangers.slice(0, STRANGERS_MAX).map((one) => [one]),
  ];
  const parts = await Promise.all(askable.map((part) => listPart(cloud, part, signal)));
  return {
    instances: parts.flatMap((part) => part.instances),
    unseen: [...parts.flatMap((part) => part.unseen), ...strangers.slice(STRANGERS_MAX)],
  };
}

async function listPart(cloud: Cloud, part: readonly CloudTagged[], signal: AbortSignal): Promise<Listed> {
  try {
    const filters = { 'instance-id': part.map((one) => one.instanceId) };
    return { instances: await cloud.describeInstances(filters, { signal, urgency: 'chore' }), unseen: [] };
  } catch (error) {
    // One part that cannot be read hides none of the others; its instances count as there, and not
    // seen.
    if (!hasCode(error, 'CLOUD_UNAVAILABLE') && !hasCode(error, 'CLOUD_THROTTLED')) throw error;
    return { instances: [], unseen: part };
  }
}
