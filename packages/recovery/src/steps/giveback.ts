import type { CloudInstance, CloudVolume } from '@understudy/shared';
import { type DiskPlace, diskPlace } from '../core/disk-place.ts';
import { movesItself } from '../core/moved-volumes.ts';
import { lockedHold } from './locked-volumes.ts';
import type { Attempt, Call, Move, Step } from '../effect.ts';
import { closeInPlace } from '../in-place.ts';
import { type CallsOf, plannedCall } from '../planned-call.ts';
import type { Run } from '../run.ts';
import { stepKind } from '../step-kind.ts';
import type { RequestOf } from '../step-record.ts';
import { fencedBy, takesProtectionOff } from './fenced-by.ts';
import { GIVEBACK } from './giveback-record.ts';
import { disksOutlive, mayBeEnded } from './predecessor-end.ts';
import { openCalls } from './open-calls.ts';
import { openDetachTexts } from './open-detaches.ts';
import { protectCall, protectCalls } from './protect.ts';
import { DETACH } from './volume-records.ts';

type Request = RequestOf<typeof GIVEBACK>;
type Disk = Request['disks'][number];

interface Memory {
  /** When EC2 last said yes to each call of this run. */
  readonly askedAtMs: Map<string, number>;
  /** Where each disk is that is not back; null: no look has worked. */
  missing: readonly string[] | null;
  /** Putting stop protection back has been answered, one way or the other. */
  isProtected: boolean;
}

/** For ten minutes; a successor gets the usual floor. */
const LIMIT_MS = 600_000;

/** What is frozen when the step begins: the disks that the recovery has begun to move. */
export function givebackRequest(run: Run, how: Pick<Request, 'ends' | 'why'>): Request {
  const begun = run.plan.volumes.filter(
    (volume) => movesItself(volume) && run.journal.get(DETACH, volume.volumeId) !== null,
  );
  const disks = begun.map(({ volumeId, deviceName, deleteOnTermination }) => ({
    ...{ volumeId, deviceName, deleteOnTermination },
  }));
  return { ...how, instanceId: run.record.oldInstanceId, disks };
}

/**
 * Gives the old instance its disks back, under their devices, so that whoever comes next finds it
 * as it was, stopped. **S** (S27) With no attempt open: each is seen terminated, so nobody else has
 * them. Only on an instance that is stopped; an attachment that lands late finds the disk there
 * already, or on somebody else, and is refused. A detachment that lands late takes it off again:
 * how long that may be is said in the history.
 */
export function givebackStep(run: Run): Step<typeof GIVEBACK> {
  const memory: Memory = { askedAtMs: new Map(), missing: null, isProtected: false };
  return {
    limitMs: LIMIT_MS,
    prepare: async () => givebackRequest(run, { ends: 'abandoned', why: 'it was given up' }),
    next: async ({ request }, last) => {
      if (last) learn(run, memory, last);
      // **S** (S32) A disk that is put on what may end is told to go with it.
      if (request.disks.length === 0 || fencedBy(run) !== 'stopped' || mayBeEnded(run))
        return end(run, memory, request, whereabouts(run, request));
      return back(run, memory, request);
    },
    onTimeout: ({ request }) => notBack(run, request, memory),
  };
}

/** The next way would copy what is there: it does not begin with a disk missing. */
function notBack(run: Run, request: Request, { missing }: Memory): Move<typeof GIVEBACK> {
  const leftAs = missing ?? request.disks.map(({ volumeId }) => `${volumeId}: EC2 could not be asked where it is`);
  if (request.ends === 'abandoned') return { kind: 'done', result: { leftAs: [...leftAs, ...openDetachTexts(run)] } };
  const text = `the disks of ${request.instanceId} are not back on it: ${leftAs.join('; ')}. It goes on once they are`;
  return { kind: 'hold', reason: 'VolumeNotFree', text };
}

function learn(run: Run, memory: Memory, { outcomes }: Attempt): void {
  for (const { name, error } of outcomes) {
    if (name === 'protect') memory.isProtected = true;
    if (error === null) memory.askedAtMs.set(name, run.nowMs());
    else memory.askedAtMs.delete(name);
  }
}

/** Nothing was taken off, or there is no stopped instance to put it on. */
const whereabouts = (run: Run, { disks, instanceId }: Request): readonly string[] =>
  disks.map(({ volumeId, deviceName }) =>
    run.journal.get(DETACH, volumeId)?.state === 'done'
      ? `${volumeId} (${deviceName}) is attached to nothing`
      : `${volumeId} (${deviceName}) was on ${instanceId} when it was looked at last`,
  );

async function back(run: Run, memory: Memory, request: Request): Promise<Move<typeof GIVEBACK>> {
  const { instanceId, disks } = request;
  const [instances, volumes] = await Promise.all([
    run.read((cloud, options) => cloud.describeInstances({ 'instance-id': [instanceId] }, options)),
    run.read((cloud, options) => cloud.describeVolumes({ 'volume-id': disks.map((one) => one.volumeId) }, options)),
  ]);
  const instance = instances.find((one) => one.instanceId === instanceId);
  const places = disks.map((disk) => ({ disk, place: placeOf(volumes, instanceId, disk) }));
  const away = places.filter(({ place }) => place.kind !== 'there');
  memory.missing = away.map(({ disk, place }) => `${disk.volumeId} (${disk.deviceName}) is ${placeText(place)}`);
  if (instance?.state === 'terminated') return end(run, { ...memory, isProtected: true }, request, memory.missing);
  if (instance?.state !== 'stopped')
    return { kind: 'wait', text: `${instanceId} is ${instance?.state ?? 'not shown by EC2'}, not stopped` };
  const attach = nextOnes(away, instance, request).map(({ disk }) => attachCall(instanceId, disk));
  // **S** (S32) What it was said of that it outlives the instance does, whatever still lands.
  const calls = [...attach, ...(disksOutlive(run) ? [] : bindCalls(instance, disks))];
  const [first, ...more] = calls.filter((call) => isDue(run, memory, call.name));
  if (first) {
    const locked = attach.length > 0 ? await lockedHold(run) : null;
    return locked ?? { kind: 'act', text: `giving ${instanceId} its disks back`, calls: [first, ...more] };
  }
  if (away.length === 0 && calls.length === 0) return end(run, memory, request, []);
  return { kind: 'wait', text: `waiting for the disks of ${instanceId}: ${memory.missing.join('; ')}` };
}

interface Placed {
  readonly disk: Disk;
  readonly place: DiskPlace;
}

/**
 * **S** (S27) The root comes last: until the instance has all its disks, nobody can start it. For a
 * person who abandons, it does not wait for a disk that cannot come back.
 */
function nextOnes(away: readonly Placed[], { rootDeviceName }: CloudInstance, { ends }: Request): readonly Placed[] {
  const others = away
    .filter(({ disk }) => disk.deviceName !== rootDeviceName)
    .filter(({ place: { kind } }) => ends !== 'abandoned' || (kind !== 'elsewhere' && kind !== 'lost'));
  return (others.length > 0 ? others : away).filter(({ place }) => place.kind === 'free');
}

const placeOf = (volumes: readonly CloudVolume[], instanceId: string, { volumeId, deviceName }: Disk): DiskPlace => {
  const volume = volumes.find((one) => one.volumeId === volumeId);
  return diskPlace(volume, { volumeId, instanceId, deviceName });
};

function placeText(place: DiskPlace): string {
  switch (place.kind) {
    case 'there':
      return 'back';
    case 'free':
      return 'attached to nothing';
    case 'under-other-device':
      return `attached as ${place.deviceName}`;
    case 'moving':
      return `in motion (${place.text})`;
    case 'elsewhere':
      return `attached to ${place.instanceId}`;
    case 'unseen':
      return 'not shown by EC2';
    case 'lost':
      return place.state;
  }
}

const attachCall = (instanceId: string, { volumeId, deviceName }: Disk): Call => ({
  name: `attach-${volumeId}`,
  run: (cloud, options) => cloud.attachVolume({ volumeId, instanceId, deviceName }, options),
});

/** EC2 keeps what is attached later when the instance ends; before, it would not have. */
const bindCalls = (instance: CloudInstance, disks: readonly Disk[]): readonly Call[] =>
  instance.volumes
    .filter((one) => !one.deleteOnTermination)
    .filter((one) => disks.some((disk) => disk.volumeId === one.volumeId && disk.deleteOnTermination))
    .map(({ deviceName }) => ({
      name: `bind-${deviceName}`,
      run: (cloud, options) => cloud.setDeleteOnTermination(instance.instanceId, deviceName, true, options),
    }));

const isDue = (run: Run, { askedAtMs }: Memory, name: string): boolean =>
  run.nowMs() - (askedAtMs.get(name) ?? Number.NEGATIVE_INFINITY) >= run.settings.lagGraceMs;

/** As it is closed, stop protection that the fence took off is put back, for the next way. */
async function end(
  run: Run,
  { isProtected }: Memory,
  { ends, why }: Request,
  leftAs: readonly string[],
): Promise<Move<typeof GIVEBACK>> {
  const open = openDetachTexts(run);
  if (ends === 'abandoned') return { kind: 'done', result: { leftAs: [...leftAs, ...open] } };
  const { oldInstanceId } = run.record;
  if (!isProtected && takesProtectionOff(run))
    return { kind: 'act', calls: [protectCall(oldInstanceId)], text: 'putting stop protection back' };
  const state = fencedBy(run) === 'stopped' ? [`${oldInstanceId} is stopped, by us`] : [];
  run.parts.log.info('recovery.volumes_given_back', { oldInstanceId, leftAs });
  return {
    kind: 'close',
    write: await closeInPlace(run, {
      outcome: 'not-mended',
      why,
      leftAs: [...state, ...leftAs, ...open],
      lateCalls: openCalls(run),
    }),
  };
}

const WHEN = 'no replacement could be made, or a person ends the recovery';

const givebackCalls: CallsOf = ({ intent: { oldInstanceId, plan } }) => [
  ...protectCalls(oldInstanceId, plan),
  ...plan.volumes
    .filter(movesItself)
    .flatMap(({ volumeId, deviceName, deleteOnTermination }) => [
      plannedCall(
        `attach-${volumeId}`,
        (cloud, options) => cloud.attachVolume({ volumeId, instanceId: oldInstanceId, deviceName }, options),
        WHEN,
      ),
      ...(deleteOnTermination
        ? [
            plannedCall(
              `bind-${deviceName}`,
              (cloud, options) => cloud.setDeleteOnTermination(oldInstanceId, deviceName, true, options),
              WHEN,
            ),
          ]
        : []),
    ]),
];

export const givebackKind = stepKind(GIVEBACK, givebackStep, givebackCalls);
