import { type CloudInstance, invariant, type VolumePlace } from '@understudy/shared';
import { diskPlace } from '../core/disk-place.ts';
import { madeNothing } from '../core/refusals.ts';
import { answersIn, type Attempt, type Move, type Step } from '../effect.ts';
import { type CallsOf, plannedCall } from '../planned-call.ts';
import type { Run } from '../run.ts';
import { stepKind } from '../step-kind.ts';
import type { ResultOf, Sends } from '../step-record.ts';
import { fencedBy } from './fenced-by.ts';
import { StopsAgain } from './stop-again.ts';
import { DETACH } from './volume-records.ts';

interface Memory {
  /** When EC2 was last asked to detach it by this run, and has not certainly refused. */
  askedAtMs: number | null;
  /** Calls of this run that EC2 has answered. */
  answered: number;
  what: string;
  readonly stops: StopsAgain;
}

/**
 * Takes one volume off the fenced instance. **S** (S4, S27) Only after `stopped` or `terminated`
 * was observed, a serve lease does not do; and each time only when EC2 shows the instance stopped
 * right before. The call names the instance, so that a late one takes it from no other.
 */
export function detachStep(run: Run, volumeId: string): Step<typeof DETACH> {
  const memory: Memory = {
    askedAtMs: null,
    answered: 0,
    what: `${volumeId} was not looked at`,
    stops: new StopsAgain(),
  };
  return {
    limitMs: run.policy.recover.fenceTimeoutMs,
    prepare: async () => {
      const volume = run.plan.volumes.find((one) => one.volumeId === volumeId);
      invariant(volume, `${volumeId} is no volume of the plan`);
      return { volumeId, instanceId: run.record.oldInstanceId, deviceName: volume.deviceName };
    },
    next: async ({ request, sends }, last) => {
      if (fencedBy(run) === 'lease') return leaseIsNotEnough(request.instanceId);
      learn(run, memory, last);
      const [instance, volume] = await look(run, request);
      memory.stops.look(instance, sends.stop ?? 0);
      const place = diskPlace(volume, request);
      switch (place.kind) {
        case 'free':
          return { kind: 'done', result: resultOf(memory, volumeId, sends) };
        case 'there':
        case 'under-other-device':
          return takeOff(run, memory, request, instance);
        case 'unseen':
          return wait(memory, `EC2 does not show ${volumeId}`);
        case 'moving':
          return wait(memory, place.text);
        case 'elsewhere':
          return hold(`${volumeId} was attached to ${place.instanceId} by somebody else`);
        case 'lost':
          return hold(`${volumeId} is ${place.state}: its content is gone`);
      }
    },
    onTimeout: () => ({
      kind: 'hold',
      reason: 'VolumeNotFree',
      text: `${volumeId} did not come off ${run.record.oldInstanceId}: ${memory.what}. Detach it by force (detach-volume --force), or ask AWS Support; it goes on once it is available`,
    }),
  };
}

const hold = (text: string): Move<typeof DETACH> => ({ kind: 'hold', reason: 'VolumeNotFree', text });

const leaseIsNotEnough = (instanceId: string): Move<typeof DETACH> => ({
  kind: 'hold',
  reason: 'FenceNotProven',
  text: `${instanceId} was not seen stopped, its serve lease has run out: its disks are not taken off a machine that may still write to them`,
});

function wait(memory: Memory, text: string): Move<typeof DETACH> {
  memory.what = text;
  return { kind: 'wait', text };
}

/** What was certainly refused may be asked again at once. */
function learn(run: Run, memory: Memory, last: Attempt | null): void {
  memory.stops.learn(last);
  if (last?.name !== 'detach') return;
  memory.askedAtMs = last.error !== null && madeNothing(last.error) ? null : run.nowMs();
  memory.answered += answersIn(last);
}

const resultOf = (
  { answered, stops }: Memory,
  volumeId: string,
  { detach = 0, stop = 0 }: Sends,
): ResultOf<typeof DETACH> => ({
  volumeId,
  ...(detach > answered && { isOpen: true }),
  ...(stops.isOpen(stop) && { stopIsOpen: true }),
});

const look = async (run: Run, { instanceId, volumeId }: VolumePlace) => {
  const [instances, volumes] = await Promise.all([
    run.read((cloud, options) => cloud.describeInstances({ 'instance-id': [instanceId] }, options)),
    run.read((cloud, options) => cloud.describeVolumes({ 'volume-id': [volumeId] }, options)),
  ]);
  return [
    instances.find((one) => one.instanceId === instanceId),
    volumes.find((one) => one.volumeId === volumeId),
  ] as const;
};

/** A second call is sent only when the first has shown no effect for long: it may yet land. */
function takeOff(
  run: Run,
  memory: Memory,
  place: VolumePlace,
  instance: CloudInstance | undefined,
): Move<typeof DETACH> {
  const { instanceId, volumeId } = place;
  const runs = instance?.state === 'pending' || instance?.state === 'running';
  // **S** (S28) Started by a call of our own that landed late: it serves nobody, so it is stopped
  // again.
  if (runs && run.plan.startMayLand === true) return stopAgain(instanceId);
  if (runs)
    return {
      kind: 'hold',
      reason: 'FenceNotProven',
      text: `${instanceId} is ${instance.state} again, and has ${volumeId}: somebody has started it. Stop it, or abandon the recovery`,
    };
  if (instance?.state !== 'stopped') return wait(memory, `${instanceId} is ${instance?.state ?? 'not shown by EC2'}`);
  if (memory.askedAtMs !== null && run.nowMs() - memory.askedAtMs < run.settings.restopAfterMs)
    return wait(memory, `waiting for ${volumeId} to come off ${instanceId}`);
  return {
    kind: 'act',
    text: `taking ${volumeId} off the old instance`,
    calls: [{ name: 'detach', run: (cloud, options) => cloud.detachVolume(place, options) }],
  };
}

const stopAgain = (instanceId: string): Move<typeof DETACH> => ({
  kind: 'act',
  text: 'stopping the old instance again: a late start of ours has landed',
  calls: [
    {
      name: 'stop',
      run: (cloud, options) => cloud.stopInstance(instanceId, { force: true, skipOsShutdown: true }, options),
    },
  ],
});

const detachCalls: CallsOf = ({ intent: { oldInstanceId, plan }, key }) =>
  plan.volumes
    .filter((one) => one.volumeId === key.item)
    .map(({ volumeId, deviceName }) =>
      plannedCall('detach', (cloud, options) =>
        cloud.detachVolume({ volumeId, instanceId: oldInstanceId, deviceName }, options),
      ),
    );

export const detachKind = stepKind(DETACH, (run, { item }) => detachStep(run, item), detachCalls);
