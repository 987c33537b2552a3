import { type CloudInstance, invariant, TAG } from '@understudy/shared';
import { type ClosingFacts, historyOf } from '../../core/recovery/history.ts';
import { volumeTagsToReapply } from '../../core/recovery/launch-request.ts';
import { currentAttempt } from '../../core/recovery/step-table.ts';
import type { Call, Frozen, Move, Step } from '../effect.ts';
import { readHold } from '../hold.ts';
import { IntentGone } from '../journal.ts';
import type { Run } from '../run.ts';
import { replacementOf } from './activate.ts';
import { ServiceLook } from './service-look.ts';

const LIMIT_MS = 600_000;

/**
 * Re-applies what a launch cannot carry (protections, tags per volume), marks the old instance as retired, hears the replacement once more, looks
 * whether its services pass, and closes the recovery in one transaction: history in, intent, journal and hold out.
 */
export function doneStep(run: Run): Step<'done'> {
  /** Chores that are through, by name. */
  const settled = new Set<string>();
  const strays: Strays = { seenSinceMs: null };
  const services = new ServiceLook(run);
  const startedAtMs = run.nowMs();
  return {
    limitMs: LIMIT_MS,
    prepare: async () => ({ instanceId: replacementOf(run) }),
    next: async (frozen, last) => {
      for (const { name, error } of last?.outcomes ?? []) {
        // Nothing of this is worth holding a recovery that serves already; what was refused for good is said in the log.
        if (error === null || error.code === 'CLOUD_NOT_FOUND' || error.code === 'CLOUD_REJECTED') settled.add(name);
      }
      const [first, ...more] = (await choresOf(run, frozen)).filter((call) => !settled.has(call.name));
      if (first) return { kind: 'act', text: 'tagging and protecting', calls: [first, ...more] };
      return (await strayAddress(run, frozen, strays)) ?? close(run, frozen, services, startedAtMs);
    },
    onTimeout: (frozen) => ({
      kind: 'hold',
      reason: 'CloudUnavailable',
      text: `${frozen.request.instanceId} serves, but tags and protections could not be put in place`,
    }),
  };
}

interface Strays {
  /** First of the unbroken run of looks that showed an address on the old instance: one look may be outdated. */
  seenSinceMs: number | null;
}

/**
 * An address that came to the old instance after the plan was made (somebody moved it, or EC2 showed the plan an older picture) would stay on a machine
 * that is off, and nobody would know. It is no part of the frozen plan, so it is not moved: a person is told. null: there is none.
 */
async function strayAddress(run: Run, frozen: Frozen<'done'>, strays: Strays): Promise<Move<'done'> | null> {
  const { oldInstanceId } = run.record;
  const found = await run.read((cloud, options) =>
    cloud.describeAddresses({ 'instance-id': [oldInstanceId] }, options),
  );
  const planned = new Set(run.plan.addresses.map((one) => one.allocationId));
  const [stray] = found.filter((one) => one.instanceId === oldInstanceId && !planned.has(one.allocationId));
  if (!stray) {
    strays.seenSinceMs = null;
    return null;
  }
  strays.seenSinceMs ??= run.nowMs();
  const { confirmSpacingMs } = run.settings;
  if (run.nowMs() - strays.seenSinceMs < confirmSpacingMs)
    return {
      kind: 'wait',
      text: `${stray.publicIp} reads as on the old instance: reading once more`,
      forMs: confirmSpacingMs,
    };
  return {
    kind: 'hold',
    reason: 'AddressHeldElsewhere',
    text: `${stray.publicIp} (${stray.allocationId}) is on ${oldInstanceId}, which was replaced; it came there after the plan was made. Move it to ${frozen.request.instanceId}, or release it`,
  };
}

const chore = (name: string, run: Call['run']): Call => ({ name, run });

async function choresOf(run: Run, frozen: Frozen<'done'>): Promise<readonly Call[]> {
  const { instanceId } = frozen.request;
  const found = await run.read((cloud, options) => cloud.describeInstances({ 'instance-id': [instanceId] }, options));
  const replacement = found.find((one) => one.instanceId === instanceId);
  return [...retire(run), ...protect(run, instanceId), ...(replacement ? dress(run, replacement) : [])];
}

/** Termination protection moves to the replacement; one that appears on the retired instance later is an operator's wish to keep it. */
function retire(run: Run): Call[] {
  const { oldInstanceId, opId } = run.record;
  const retainUntil = new Date(run.record.startedAtWallMs + run.policy.retainForMs).toISOString();
  const tags = { [TAG.retiredBy]: opId, [TAG.retainUntil]: retainUntil };
  const calls = [chore('retire', (cloud, options) => cloud.createTags([oldInstanceId], tags, options))];
  if (run.plan.protection.termination && run.journal.get('fence', 'fence')?.result?.how === 'stopped') {
    calls.push(
      chore('unprotect', (cloud, options) => cloud.setProtection(oldInstanceId, { termination: false }, options)),
    );
  }
  return calls;
}

function protect(run: Run, instanceId: string): Call[] {
  const { stop, termination } = run.plan.protection;
  const protection = { ...(stop ? { stop } : {}), ...(termination ? { termination } : {}) };
  if (!stop && !termination) return [];
  return [chore('protect', (cloud, options) => cloud.setProtection(instanceId, protection, options))];
}

/** Tags per volume, and an interface that goes with the instance: ours was made before it, so EC2 would keep it for ever. */
function dress(run: Run, replacement: CloudInstance): Call[] {
  const tagged = volumeTagsToReapply(run.plan.volumes, replacement).map(({ volumeId, tags }) =>
    chore(`tag-${volumeId}`, (cloud, options) => cloud.createTags([volumeId], tags, options)),
  );
  const interfaces = replacement.networkInterfaces.flatMap(
    ({ networkInterfaceId, attachmentId, deleteOnTermination }) => {
      if (attachmentId === null || deleteOnTermination) return [];
      const attributes = { deleteOnTermination: { attachmentId, value: true } };
      return [
        chore(`bind-${networkInterfaceId}`, (cloud, options) =>
          cloud.setNetworkInterfaceAttributes(networkInterfaceId, attributes, options),
        ),
      ];
    },
  );
  return [...tagged, ...interfaces];
}

/** The replacement is heard and passes; or it has been given its time, and the ordinary watch takes over. */
function speaksWell(run: Run, instanceId: string): boolean {
  const reading = run.parts.heartbeats.reading(run.record.member, instanceId);
  if (!reading || reading.passingSinceMs === null) return false;
  return run.nowMs() - reading.lastHeardAtMs < run.policy.suspectAfterMs;
}

/** Waits, but not for ever: it serves already, and a recovery that stays open would keep the ordinary watch from it. */
async function close(
  run: Run,
  frozen: Frozen<'done'>,
  services: ServiceLook,
  startedAtMs: number,
): Promise<Move<'done'>> {
  const { instanceId } = frozen.request;
  const well = speaksWell(run, instanceId);
  const serviceFault = await services.fault();
  if ((!well || serviceFault !== null) && run.nowMs() - startedAtMs < run.settings.closingPatienceMs) {
    const text = well ? `waiting for its services: ${serviceFault}` : 'waiting to hear the replacement pass';
    return { kind: 'wait', text, forMs: run.settings.pollMinMs };
  }
  if (serviceFault !== null) run.parts.log.warn('recovery.services_not_passing', { serviceFault });
  const { keys, kv } = run.parts;
  const { member, opId } = run.record;
  const intentKey = keys.intent(member);
  const intent = await kv.get(intentKey);
  if (intent?.modRevision !== run.intent.modRevision) throw new IntentGone('closed by somebody else');
  const hold = await readHold({ kv, keys, member }, opId);
  return {
    kind: 'close',
    write: {
      puts: [
        {
          key: keys.historyEntry(member, opId),
          expect: 0,
          record: historyOf(factsOf(run, instanceId, { well, serviceFault })),
        },
      ],
      deletes: [
        { key: intentKey, expect: run.intent.modRevision },
        ...(hold.own ? [{ key: keys.hold(member), expect: hold.modRevision }] : []),
      ],
      deletePrefixes: [keys.journalOf(opId)],
    },
  };
}

function factsOf(
  run: Run,
  instanceId: string,
  { well, serviceFault }: { readonly well: boolean; readonly serviceFault: string | null },
): ClosingFacts {
  const fence = run.journal.get('fence', 'fence')?.result;
  const capture = run.journal.get('capture', 'capture')?.result;
  const image = run.journal.get('image', 'image')?.result;
  const activation = run.journal.get('activate', 'activate')?.result;
  invariant(fence && capture && image && activation, 'closing a recovery that is not through');
  return {
    intent: run.record,
    records: run.journal.records(),
    term: run.term.number,
    endedAtWallMs: run.wallMs(),
    newInstanceId: instanceId,
    newIncarnation: activation.incarnation,
    fencedBy: fence.how,
    launchAttempts: currentAttempt(run.journal.states()),
    imageId: image.imageId,
    snapshotIds: capture.snapshots.map((one) => one.snapshotId),
    heardAtTheEnd: well,
    serviceFaultAtTheEnd: serviceFault,
  };
}
