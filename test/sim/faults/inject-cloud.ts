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

/**
 * The zone's machines and coordinator are gone from the network and its control plane does not
 * answer.
 */
const zoneOutage: Injection<'zone-outage'> = (fault, context) => {
  const { cloud, network, hosts } = context.cluster;
  const az = azOf(context, fault.zone);
  const before = network.counts.cut;
  const inside = hosts.filter((host) => host.node.az === az);
  cloud.setZoneImpaired(az, true);
  network.impose(`${fault.id}/out`, { from: { az }, to: {}, cut: true });
  network.impose(`${fault.id}/in`, { from: {}, to: { az }, cut: true });
  for (const host of inside) host.cutFromStore(fault.id, 'both');
  context.cluster.healthChanged();
  return {
    undo: () => {
      cloud.setZoneImpaired(az, false);
      network.lift(`${fault.id}/out`);
      network.lift(`${fault.id}/in`);
      for (const host of inside) host.reachStore(fault.id);
      context.cluster.healthChanged();
    },
    happened: () => network.counts.cut > before,
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
};
