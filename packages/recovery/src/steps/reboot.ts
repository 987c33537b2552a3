import { answersIn, type Attempt, type Call, type Frozen, type Move, type Step } from '../effect.ts';
import { plannedCall } from '../planned-call.ts';
import type { Run } from '../run.ts';
import { stepKind } from '../step-kind.ts';
import { REBOOT } from './in-place-records.ts';

/** A call that EC2 does not take for so long is given up: the next way is taken. */
const LIMIT_MS = 60_000;
/** A reboot whose outcome is open is asked for once more, and no further time. */
const SENDS_MAX = 2;

/**
 * Asks EC2 to reboot the instance. A repeat reboots it again, so only an open outcome is answered
 * by one. Whether it came back is the next step's to see.
 */
export function rebootStep(run: Run): Step<typeof REBOOT> {
  const { oldInstanceId } = run.record;
  /** Calls of this run that EC2 has answered. */
  let answered = 0;
  const done = ({ sends }: Frozen<typeof REBOOT>, asked: boolean, why: string): Move<typeof REBOOT> => ({
    kind: 'done',
    result: { asked, why, isOpen: (sends.reboot ?? 0) > answered },
  });
  return {
    limitMs: LIMIT_MS,
    prepare: async () => ({ instanceId: oldInstanceId, bootEpochBefore: bootEpochOf(run) }),
    next: async (frozen, last) => {
      answered += answersIn(last);
      if (frozen.request.bootEpochBefore === null)
        return done(frozen, false, 'no heartbeat of it was heard here, so none of a later boot could be told');
      if (last?.error === null) return done(frozen, true, 'asked to reboot');
      if (isFinal(last)) return done(frozen, false, `EC2 refuses to reboot it: ${last?.error?.message ?? ''}`);
      if ((frozen.sends.reboot ?? 0) >= SENDS_MAX) return done(frozen, true, 'asked to reboot, outcome open');
      return { kind: 'act', calls: [rebootCall(oldInstanceId)], text: 'asking EC2 to reboot it' };
    },
    onTimeout: (frozen) => done(frozen, (frozen.sends.reboot ?? 0) > 0, 'EC2 did not take the request to reboot it'),
  };
}

/** The boot of the newest heartbeat of the instance that this leader has heard; null: none. */
export function bootEpochOf(run: Pick<Run, 'parts' | 'record'>): string | null {
  const reading = run.parts.heartbeats.reading(run.record.member, run.record.oldInstanceId);
  return reading === null ? null : reading.bootEpoch.toString();
}

const isFinal = (last: Attempt | null): boolean =>
  last?.error?.code === 'CLOUD_REJECTED' ||
  last?.error?.code === 'CLOUD_CONFLICT' ||
  last?.error?.code === 'CLOUD_NOT_FOUND';

const rebootCall = (instanceId: string): Call => ({
  name: 'reboot',
  run: (cloud, options) => cloud.rebootInstance(instanceId, options),
});

export const rebootKind = stepKind(REBOOT, rebootStep, ({ intent: { oldInstanceId } }) => [
  plannedCall('reboot', (cloud, options) => cloud.rebootInstance(oldInstanceId, options)),
]);
