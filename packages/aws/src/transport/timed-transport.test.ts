import { SimClock } from '@understudy/shared/testing';
import { describe, expect, it } from 'vitest';
import { mapEc2Error } from './map-error.ts';
import { timedTransport } from './timed-transport.ts';
import type { Ec2Transport } from './transport.ts';

const call = { action: 'RunInstances', mutating: true };
const hanging: Ec2Transport = () => new Promise(() => undefined);
const caught = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );

describe('timed transport', () => {
  it('gives up after its time, with the outcome unknown', async () => {
    const clock = new SimClock();
    const work = caught(timedTransport(hanging, clock, 5_000)('RunInstances', {}, { mutating: true }));
    await clock.advance(4_999);
    expect(clock.pendingCount).toBe(1);
    const error = await clock.runUntilSettled(work);
    expect(clock.monotonicMs()).toBe(5_000);
    expect(mapEc2Error(error, call).code).toBe('CLOUD_OUTCOME_UNKNOWN');
  });

  it('gives up on abort, with the outcome unknown whatever the abort says', async () => {
    const clock = new SimClock();
    const controller = new AbortController();
    const options = { mutating: true, signal: controller.signal };
    const work = caught(timedTransport(hanging, clock, 5_000)('RunInstances', {}, options));
    controller.abort(new Error('lost the lease'));
    expect(mapEc2Error(await work, call).code).toBe('CLOUD_OUTCOME_UNKNOWN');
    expect(clock.pendingCount).toBe(0);
  });

  it('sends nothing when it is aborted already', async () => {
    let calls = 0;
    const counting: Ec2Transport = () => Promise.resolve({ calls: ++calls });
    const work = timedTransport(counting, new SimClock(), 5_000)(
      'RunInstances',
      {},
      {
        mutating: true,
        signal: AbortSignal.abort(new Error('gone')),
      },
    );
    await expect(work).rejects.toMatchObject({ code: 'CLOUD_THROTTLED', upstreamCode: 'NotSent' });
    expect(calls).toBe(0);
  });

  it('hands through the answer and leaves no timer', async () => {
    const clock = new SimClock();
    await expect(timedTransport(() => Promise.resolve({ ok: 1 }), clock, 5_000)('X', {})).resolves.toEqual({ ok: 1 });
    expect(clock.pendingCount).toBe(0);
  });
});
