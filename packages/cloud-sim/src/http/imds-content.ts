import { isPrimary, type SimInstance, type SimInstanceEvent, type SimNetworkInterface } from '../core/model.ts';
import type { CloudSim } from '../cloud-sim.ts';
import { ACCOUNT_ID } from '../core/region.ts';

export interface ScheduledMaintenance {
  readonly Code: string;
  readonly Description: string;
  readonly EventId: string;
  readonly NotBefore: string;
  readonly NotAfter: string;
  readonly State: string;
}

/** Faults that an operator injects into one instance's metadata service. */
export interface ImdsFaults {
  /** Connections are accepted and never answered. */
  readonly unreachable?: boolean;
  /** Every request gets 429. */
  readonly throttled?: boolean;
  readonly spotAction?: { readonly action: 'stop' | 'terminate' | 'hibernate'; readonly time: string };
  readonly rebalanceNoticeTime?: string;
  /** Shown instead of the instance's scheduled events (`POST /_sim/instances/:id/events`). */
  readonly maintenance?: readonly ScheduledMaintenance[];
}

type Source = { readonly sim: CloudSim; readonly instance: SimInstance; readonly faults: ImdsFaults };

const primary = ({ sim, instance }: Source) =>
  instance.networkInterfaceIds
    .flatMap((id) => sim.core.region.networkInterfaces.get(id) ?? [])
    .find((one) => isPrimary(one.attachment));

function identityDocument(source: Source): string {
  const { sim, instance } = source;
  return JSON.stringify(
    {
      accountId: ACCOUNT_ID,
      architecture: instance.architecture,
      availabilityZone: instance.az,
      billingProducts: null,
      devpayProductCodes: null,
      marketplaceProductCodes: null,
      imageId: instance.imageId,
      instanceId: instance.id,
      instanceType: instance.instanceType,
      kernelId: null,
      pendingTime: `${new Date(instance.launchedAtWallMs).toISOString().slice(0, 19)}Z`,
      privateIp: primary(source)?.privateIp ?? null,
      ramdiskId: null,
      region: sim.region,
      version: '2017-09-30',
    },
    null,
    2,
  );
}

/**
 * True unless the event is over. It then has its state in front of its description, and the
 * instance finds it in `history`.
 */
const isAhead = ({ description }: SimInstanceEvent): boolean => !description.startsWith('[');

/**
 * A date as the metadata service writes it: `21 Jan 2019 09:00:43 GMT`. The end is not simulated.
 */
const dateText = (wallMs: number): string => new Date(wallMs).toUTCString().slice('Mon, '.length);

const maintenanceOf = (event: SimInstanceEvent): ScheduledMaintenance => ({
  Code: event.code,
  Description: event.description,
  EventId: event.eventId,
  NotBefore: dateText(event.notBeforeWallMs),
  NotAfter: '',
  State: 'active',
});

const tagsShown = ({ instance }: Source): boolean =>
  instance.request.MetadataOptions?.InstanceMetadataTags === 'enabled';

function tagContent(source: Source, path: string): string | null {
  if (!tagsShown(source)) return null;
  const key = path.slice('meta-data/tags/instance'.length).replace(/^\//, '');
  if (key === '') return Object.keys(source.instance.tags).sort().join('\n');
  return Object.hasOwn(source.instance.tags, key) ? (source.instance.tags[key] ?? null) : null;
}

function publicIp(source: Source): string | null {
  const id = primary(source)?.id;
  const ip = primary(source)?.privateIp;
  const address = source.sim.core.region.addresses
    .all()
    .find((one) => one.networkInterfaceId === id && one.privateIp === ip);
  return address?.publicIp ?? source.instance.autoPublicIp;
}

/** As a subnet with names by address gives it. */
const hostname = (source: Source): string | null => {
  const address = primary(source)?.privateIp;
  return address === undefined ? null : `ip-${address.replaceAll('.', '-')}.ec2.internal`;
};

/**
 * The role has the profile's name, as the console makes them. Null: the instance has no profile.
 */
function roleOf({ instance }: Source): string | null {
  const profile = instance.request.IamInstanceProfile;
  return profile?.Name ?? profile?.Arn?.split('/').at(-1) ?? null;
}

const CREDENTIALS_LIVE_MS = 6 * 3_600_000;

/**
 * Credentials of the instance's role, as long as EC2's. cloud-sim cannot verify their signature; it
 * knows them by their key id, which names the instance.
 */
function roleCredentials(source: Source): string | null {
  if (roleOf(source) === null) return null;
  const wallMs = source.sim.clock.wallMs();
  const at = (ms: number) => `${new Date(ms).toISOString().slice(0, 19)}Z`;
  return JSON.stringify({
    Code: 'Success',
    LastUpdated: at(wallMs),
    Type: 'AWS-HMAC',
    AccessKeyId: `ASIA${source.instance.id.slice(2).toUpperCase()}`,
    SecretAccessKey: 'simulated',
    Token: 'simulated',
    Expiration: at(wallMs + CREDENTIALS_LIVE_MS),
  });
}

const ROLES = 'meta-data/iam/security-credentials';

const roleFor = (source: Source, role: string): string | null =>
  role === roleOf(source) ? roleCredentials(source) : null;

const PATHS: Readonly<Record<string, (source: Source) => string | null>> = {
  'meta-data/instance-id': ({ instance }) => instance.id,
  'meta-data/ami-id': ({ instance }) => instance.imageId,
  'meta-data/instance-type': ({ instance }) => instance.instanceType,
  'meta-data/instance-life-cycle': () => 'on-demand',
  'meta-data/hostname': hostname,
  'meta-data/local-hostname': hostname,
  'meta-data/mac': (source) => primary(source)?.macAddress ?? null,
  'meta-data/local-ipv4': (source) => primary(source)?.privateIp ?? null,
  'meta-data/public-ipv4': publicIp,
  'meta-data/placement/availability-zone': ({ instance }) => instance.az,
  'meta-data/placement/region': ({ sim }) => sim.region,
  'meta-data/spot/instance-action': ({ faults }) => (faults.spotAction ? JSON.stringify(faults.spotAction) : null),
  'meta-data/events/maintenance/scheduled': ({ instance, faults }) =>
    JSON.stringify(faults.maintenance ?? instance.events.filter(isAhead).map(maintenanceOf)),
  'meta-data/events/maintenance/history': () => '[]',
  'meta-data/events/recommendations/rebalance': ({ faults }) =>
    faults.rebalanceNoticeTime === undefined ? null : JSON.stringify({ noticeTime: faults.rebalanceNoticeTime }),
  'user-data': ({ instance }) => (instance.userData === null ? null : decodeUserData(instance.userData)),
  'dynamic/instance-identity/document': identityDocument,
  'dynamic/instance-identity/rsa2048': (source) => source.sim.identity.rsa2048(identityDocument(source)),
  'dynamic/instance-identity/signature': (source) => source.sim.identity.signature(identityDocument(source)),
};

const MACS = 'meta-data/network/interfaces/macs';

/** An address that was moved to the interface is shown only once the guest can have it. */
const arrived = (source: Source, one: SimNetworkInterface, addresses: readonly string[]): string | null => {
  const nowMs = source.sim.clock.monotonicMs();
  const there = addresses.filter((address) => (one.arriving[address] ?? 0) <= nowMs);
  return there.length === 0 ? null : there.join('\n');
};

const BY_MAC: Readonly<Record<string, (source: Source, one: SimNetworkInterface) => string | null>> = {
  'device-number': (_source, one) => String(one.attachment?.deviceIndex ?? 0),
  'interface-id': (_source, one) => one.id,
  'ipv4-prefix': (source, one) => arrived(source, one, one.ipv4Prefixes),
  'ipv6-prefix': (source, one) => arrived(source, one, one.ipv6Prefixes),
  ipv6s: (source, one) => arrived(source, one, one.ipv6Addresses),
  'local-ipv4s': (source, one) => arrived(source, one, [one.privateIp, ...one.secondaryIps]),
  mac: (_source, one) => one.macAddress,
  'subnet-id': (_source, one) => one.subnetId,
  'vpc-id': (_source, one) => one.vpcId,
};

/**
 * What is below `network/interfaces/macs`. It is not listed above, so that cloud-init in a machine
 * leaves a network alone that has no DHCP.
 */
function macContent(source: Source, rest: string): string | null {
  const held = source.instance.networkInterfaceIds.flatMap(
    (id) => source.sim.core.region.networkInterfaces.get(id) ?? [],
  );
  const [mac = '', name] = rest.split('/');
  if (mac === '') return held.map((one) => `${one.macAddress}/`).join('\n');
  const one = held.find(({ macAddress }) => macAddress === mac);
  if (!one) return null;
  if (name !== undefined) return Object.hasOwn(BY_MAC, name) ? (BY_MAC[name]?.(source, one) ?? null) : null;
  return Object.keys(BY_MAC)
    .filter((key) => BY_MAC[key]?.(source, one) !== null)
    .join('\n');
}

/**
 * What a path holds, one name a line: only what answers for this instance, folders with a `/` at
 * the end. cloud-init walks these, and gives up at the first listed name that is not there. Null:
 * no folder.
 */
function listing(source: Source, folder: string): string | null {
  const names = Object.keys(PATHS).flatMap((path) => {
    if (!path.startsWith(`${folder}/`) || PATHS[path]?.(source) === null) return [];
    const [name = '', ...deeper] = path.slice(folder.length + 1).split('/');
    return deeper.length > 0 ? [`${name}/`] : [name];
  });
  return names.length === 0 ? null : [...new Set(names)].sort().join('\n');
}

export const decodeUserData = (base64: string): string => Buffer.from(base64, 'base64').toString('utf8');

/** The content of a path below `/latest/`. Null is 404. */
export function imdsContent(sim: CloudSim, instanceId: string, path: string, faults: ImdsFaults): string | null {
  const instance = sim.core.region.instances.get(instanceId);
  if (!instance) return null;
  const source = { sim, instance, faults };
  const trimmed = path.replace(/\/+$/, '');
  if (trimmed === ROLES) return roleOf(source);
  if (trimmed.startsWith(`${ROLES}/`)) return roleFor(source, trimmed.slice(ROLES.length + 1));
  if (trimmed === 'meta-data/tags/instance' || trimmed.startsWith('meta-data/tags/instance/')) {
    return tagContent(source, decodeURIComponent(trimmed));
  }
  if (trimmed === MACS || trimmed.startsWith(`${MACS}/`)) return macContent(source, trimmed.slice(MACS.length + 1));
  return Object.hasOwn(PATHS, trimmed) ? (PATHS[trimmed]?.(source) ?? null) : listing(source, trimmed);
}
