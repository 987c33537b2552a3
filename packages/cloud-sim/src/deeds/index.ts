import type { Deed } from './deed.ts';
import { announce } from './announce.ts';
import { capacity } from './capacity.ts';
import { changeKmsKey } from './change-kms-key.ts';
import { checks } from './checks.ts';
import { clearFault } from './clear-fault.ts';
import { crash } from './crash.ts';
import { deniedActions } from './denied-actions.ts';
import { eventBus } from './event-bus.ts';
import { eventRule } from './event-rule.ts';
import { topic } from './topic.ts';
import { failHost } from './fail-host.ts';
import { fastRestore } from './fast-restore.ts';
import { fault } from './fault.ts';
import { forgeEvent } from './forge-event.ts';
import { holdBackIo } from './hold-back-io.ts';
import { host } from './host.ts';
import { hostedZone } from './hosted-zone.ts';
import { instanceProfile } from './instance-profile.ts';
import { kmsKey } from './kms-key.ts';
import { latency } from './latency.ts';
import { licenseConfiguration } from './license-configuration.ts';
import { loadBalancer } from './load-balancer.ts';
import { managed } from './managed.ts';
import { metadata } from './metadata.ts';
import { nameServer } from './name-server.ts';
import { offering } from './offering.ts';
import { productCodes } from './product-codes.ts';
import { protectRecord } from './protect-record.ts';
import { queue } from './queue.ts';
import { queueMessage } from './queue-message.ts';
import { quotas } from './quotas.ts';
import { record } from './record.ts';
import { recordRefusals } from './record-refusals.ts';
import { requiredTags } from './required-tags.ts';
import { scripts } from './scripts.ts';
import { secret } from './secret.ts';
import { shutDown } from './shut-down.ts';
import { takeDown } from './take-down.ts';
import { targetChecks } from './target-checks.ts';
import { targetGroup } from './target-group.ts';
import { trail } from './trail.ts';
import { unrulyEvents } from './unruly-events.ts';
import { unrulyQueue } from './unruly-queue.ts';
import { zonalShift } from './zonal-shift.ts';
import { zone } from './zone.ts';

/** Every deed. A script can say each, and the admin API has a route for each. */
export const DEEDS = [
  fault,
  clearFault,
  zone,
  capacity,
  offering,
  quotas,
  latency,
  crash,
  failHost,
  shutDown,
  takeDown,
  checks,
  announce,
  metadata,
  holdBackIo,
  fastRestore,
  kmsKey,
  changeKmsKey,
  secret,
  instanceProfile,
  licenseConfiguration,
  host,
  productCodes,
  requiredTags,
  deniedActions,
  nameServer,
  hostedZone,
  record,
  protectRecord,
  recordRefusals,
  loadBalancer,
  targetGroup,
  zonalShift,
  targetChecks,
  queue,
  unrulyQueue,
  queueMessage,
  eventRule,
  eventBus,
  topic,
  unrulyEvents,
  managed,
  scripts,
  trail,
  forgeEvent,
] as const satisfies readonly Deed[];

/** The schemas of deeds, in their order. */
type SchemasOf<Deeds extends readonly Deed[]> = {
  -readonly [At in keyof Deeds]: Deeds[At] extends Deed<infer Schema> ? Schema : never;
};

/** What a script may say. */
export const DEED_SCHEMAS = DEEDS.map(({ schema }) => schema) as unknown as SchemasOf<typeof DEEDS>;
