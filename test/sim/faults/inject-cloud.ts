import type { Fault as CloudFault } from '@understudy/cloud-sim';
import { azOf, type Injection, type InjectionContext, type InjectionTable, type ActiveFault } from './active-fault.ts';

/** The next calls that fit meet this, until the fault is over. */
function arm(context: InjectionContext, fault: CloudFault): ActiveFault {
  const { cloud } = context.cluster;
  cloud.addFault(fault);
  let fired = 0;
  return {
    undo: () => {
      fired += cloud.removeFault(fault.id);
    },
    happened: () => fired > 0,
  };
}

const throttle: Injection<'api-throttle'> = ({ id, action, times }, context) =>
  arm(context, { id, action, times, kind: 'throttle' });

const error: Injection<'api-error'> = ({ id, action, times }, context) =>
  arm(context, { id, action, times, kind: 'error', code: 'InternalError', httpStatus: 500 });

const lostRequest: Injection<'api-lost-request'> = ({ id, action, times }, context) =>
  arm(context, { id, action, times, kind: 'timeout-before' });

const lostReply: Injection<'api-lost-reply'> = ({ id, action, times }, context) =>
  arm(context, { id, action, times, kind: 'timeout-after-success' });

const lateLanding: Injection<'api-late-landing'> = ({ id, action, times, byMs }, context) =>
  arm(context, { id, action, times, kind: 'late-landing', delayMs: byMs });

const staleRead: Injection<'api-stale-read'> = ({ id, action, times, byMs }, context) =>
  arm(context, { id, action, times, kind: 'stale-read', delayMs: byMs });

const launchDies: Injection<'api-launch-dies'> = ({ id, times }, context) =>
  arm(context, { id, action: 'RunInstances', times, kind: 'launch-then-terminate' });

const stuckStopping: Injection<'stuck-stopping'> = ({ id, times, forMs }, context) =>
  arm(context, { id, action: 'StopInstances', times, kind: 'stuck-stopping', delayMs: forMs });

const snapshotError: Injection<'snapshot-error'> = ({ id, times }, context) =>
  arm(context, { id, action: 'CreateSnapshots', times, kind: 'snapshot-error' });

const foreignAnswer: Injection<'api-foreign-answer'> = ({ id, action, times, applied }, context) =>
  arm(context, { id, action, times, kind: applied ? 'foreign-answer' : 'foreign-instead' });

/** A share of all calls fails, reads and others, without a pattern. */
const halfFails: Injection<'api-half-fails'> = ({ id, ratio }, context) =>
  arm(context, { id, action: '*', times: 1_000_000, ratio, kind: 'error', code: 'InternalError', httpStatus: 500 });

const noCapacity: Injection<'no-capacity'> = (fault, context) => {
  const { cloud } = context.cluster;
  const az = azOf(context, fault.zone);
  const refusals = () =>
    cloud.log.calls('RunInstances').filter((one) => one.outcome === 'InsufficientInstanceCapacity');
  const before = refusals().at(-1)?.seq ?? 0;
  cloud.setCapacity(az, 't3.micro', 0);
  return {
    undo: () => cloud.setCapacity(az, 't3.micro', null),
    happened: () => (refusals().at(-1)?.seq ?? 0) > before,
  };
};

const stuckDetach: Injection<'stuck-detach'> = ({ id, times, forMs }, context) =>
  arm(context, { id, action: 'DetachVolume', times, kind: 'stuck-detach', delayMs: forMs });

const lateWrites: Injection<'late-writes'> = ({ id, times }, context) =>
  arm(context, { id, action: 'StopInstances', times, kind: 'late-writes' });

/** The zone's machines and coordinator are gone from the network. */
function cutOff(id: string, az: string, { cluster }: InjectionContext): ActiveFault {
  const { network, hosts } = cluster;
  const before = network.counts.cut;
  const inside = hosts.filter((host) => host.node.az === az);
  network.impose(`${id}/out`, { from: { az }, to: {}, cut: true });
  network.impose(`${id}/in`, { from: {}, to: { az }, cut: true });
  for (const host of inside) host.cutFromStore(id, 'both');
  cluster.healthChanged();
  return {
    undo: () => {
      network.lift(`${id}/out`);
      network.lift(`${id}/in`);
      for (const host of inside) host.reachStore(id);
      cluster.healthChanged();
    },
    happened: () => network.counts.cut > before,
  };
}

/** Nothing in the zone is on the network, and its control plane does not answer. */
const zoneOutage: Injection<'zone-outage'> = ({ id, zone }, context) => {
  const { cloud } = context.cluster;
  const az = azOf(context, zone);
  cloud.setZoneImpaired(az, true);
  const outage = cutOff(id, az, context);
  return {
    undo: () => {
      cloud.setZoneImpaired(az, false);
      outage.undo();
    },
    happened: outage.happened,
  };
};

/** Its hosts are down, too. A coordinator there is cut off, as one whose host comes back later. */
const zoneFailure: Injection<'zone-failure'> = ({ id, zone, how, instances }, context) => {
  const { cloud } = context.cluster;
  const az = azOf(context, zone);
  if (cloud.core.region.failedZones.has(az)) return null;
  cloud.failZone(az, how);
  const outage = cutOff(id, az, context);
  return {
    undo: () => {
      cloud.healZone(az, instances);
      outage.undo();
    },
    happened: outage.happened,
  };
};

export const CLOUD_INJECTIONS: InjectionTable<
  | 'api-throttle'
  | 'api-error'
  | 'api-lost-request'
  | 'api-lost-reply'
  | 'api-late-landing'
  | 'api-stale-read'
  | 'api-launch-dies'
  | 'stuck-stopping'
  | 'snapshot-error'
  | 'api-foreign-answer'
  | 'api-half-fails'
  | 'no-capacity'
  | 'zone-outage'
  | 'zone-failure'
  | 'stuck-detach'
  | 'late-writes'
> = {
  'api-throttle': throttle,
  'api-error': error,
  'api-lost-request': lostRequest,
  'api-lost-reply': lostReply,
  'api-late-landing': lateLanding,
  'api-stale-read': staleRead,
  'api-launch-dies': launchDies,
  'stuck-stopping': stuckStopping,
  'snapshot-error': snapshotError,
  'api-foreign-answer': foreignAnswer,
  'api-half-fails': halfFails,
  'no-capacity': noCapacity,
  'zone-outage': zoneOutage,
  'zone-failure': zoneFailure,
  'stuck-detach': stuckDetach,
  'late-writes': lateWrites,
};
