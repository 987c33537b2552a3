import { durationText, type CloudInstance } from '@understudy/shared';
import { answersIn, type Attempt, type Call, type Frozen, type Move, type Step } from '../effect.ts';
import { laterCall, triedOnInstance } from '../planned-call.ts';
import type { Run } from '../run.ts';
import { stepKind } from '../step-kind.ts';
import { fencedBy } from './fenced-by.ts';
import { RESTART } from './in-place-records.ts';
import { bootEpochOf } from './reboot.ts';

/** A start that EC2 took and that shows no effect is asked for again after this long. */
const AGAIN_MS = 15_000;

/**
 * Starts the instance that this recovery has seen stopped, and sees it run. A repeat of the call is
 * harmless, so an open outcome is answered by asking again. What EC2 refuses is no failure of the
 * recovery: the next way is taken.
 */
export function restartStep(run: Run): Step<typeof RESTART> {
  const { oldInstanceId } = run.record;
  /** Calls of this run that EC2 has answered. */
  let answered = 0;
  /** EC2 has said yes to one of them. */
  let taken = false;
  let askedAtMs: number | null = null;
  const done = ({ sends }: Frozen<typeof RESTART>, started: boolean, why: string): Move<typeof RESTART> => ({
    kind: 'done',
    // Where it said yes to none and the instance runs, one of those without an answer has landed.
    result: { started, why, isOpen: (sends.start ?? 0) - answered > (started && !taken ? 1 : 0) },
  });
  return {
    limitMs: run.policy.recover.launchTimeoutMs,
    prepare: async () => ({
      instanceId: oldInstanceId,
      bootEpochBefore: bootEpochOf(run),
      launchedAtWallMs: (await look(run))?.launchedAtWallMs ?? null,
    }),
    next: async (frozen, last) => {
      const isOpen = last?.error?.code === 'CLOUD_OUTCOME_UNKNOWN';
      if (last) askedAtMs = run.nowMs();
      answered += answersIn(last);
      if (last && last.error === null) taken = true;
      const how = fencedBy(run);
      if (how !== 'stopped') return done(frozen, false, how === 'lease' ? 'it was not seen stopped' : `it is ${how}`);
      if (isFinal(last)) return done(frozen, false, `EC2 refuses to start it: ${last?.error?.message ?? ''}`);
      const instance = await look(run);
      // A later start than the one that was ended, by EC2's own clock: not an older picture of it.
      const isAnew = (instance?.launchedAtWallMs ?? 0) > (frozen.request.launchedAtWallMs ?? 0);
      if (instance?.state === 'running' && isAnew) return done(frozen, true, 'it runs again');
      if (instance?.state === 'terminated' || instance?.state === 'shutting-down')
        return done(frozen, false, `it is ${instance.state}`);
      const transient = last !== null && last.error !== null;
      if (frozen.sends.start === undefined || (transient && !isOpen) || mayRepeat(run, instance, askedAtMs, isOpen))
        return { kind: 'act', calls: [startCall(run)], text: 'asking EC2 to start it again' };
      return { kind: 'wait', text: `starting it again: ${instance?.state ?? 'not shown by EC2'}` };
    },
    onTimeout: (frozen) =>
      done(frozen, false, `it did not run ${durationText(run.policy.recover.launchTimeoutMs)} after its stop`),
  };
}

/** A look right after an answer may be older than it. */
const mayRepeat = (run: Run, instance: CloudInstance | null, askedAtMs: number | null, isOpen: boolean): boolean =>
  instance?.state === 'stopped' &&
  (askedAtMs === null || run.nowMs() - askedAtMs >= (isOpen ? run.settings.confirmSpacingMs : AGAIN_MS));

async function look(run: Run): Promise<CloudInstance | null> {
  const { oldInstanceId } = run.record;
  const found = await run.read((cloud, options) =>
    cloud.describeInstances({ 'instance-id': [oldInstanceId] }, options),
  );
  return found.find((one) => one.instanceId === oldInstanceId) ?? null;
}

/** Another way may do better at once; what passes by itself is tried again. */
const isFinal = (last: Attempt | null): boolean =>
  last?.error?.code === 'CLOUD_REJECTED' ||
  last?.error?.code === 'CLOUD_CONFLICT' ||
  last?.error?.code === 'CLOUD_CAPACITY' ||
  last?.error?.code === 'CLOUD_NOT_FOUND';

const startCall = ({ record: { oldInstanceId } }: Run): Call => ({
  name: 'start',
  run: (cloud, options) => cloud.startInstance(oldInstanceId, options),
});

export const restartKind = stepKind(RESTART, restartStep, (about) => {
  const { oldInstanceId } = about.intent;
  const start = laterCall(
    'start',
    (cloud, options) => cloud.startInstance(oldInstanceId, options),
    'it runs until it is stopped',
  );
  return [triedOnInstance(start, about, () => start.send)];
});
