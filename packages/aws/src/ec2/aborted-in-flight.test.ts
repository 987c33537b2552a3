import { OperationError } from '@understudy/shared';
import { SimClock } from '@understudy/shared/testing';
import { describe, expect, it } from 'vitest';
import { createEc2Cloud } from './create-ec2-cloud.ts';
import type { Ec2Transport } from '../transport/transport.ts';

/** A cloud whose requests go out and are never answered. */
function mute() {
  const clock = new SimClock();
  const sent: string[] = [];
  const transport: Ec2Transport = (action) => {
    sent.push(action);
    return new Promise(() => undefined);
  };
  return { clock, sent, cloud: createEc2Cloud({ transport, clock, callTimeoutMs: 5_000 }) };
}

const caught = (work: Promise<unknown>): Promise<{ readonly code: string; readonly upstreamCode?: string }> =>
  work.then(
    () => Promise.reject(new Error('it was answered')),
    (error: { readonly code: string }) => error,
  );

const REASONS: readonly (readonly [string, unknown])[] = [
  ['the lease is lost', new OperationError('LEASE_LOST', 'term 7 is over')],
  [
    'it took too long for its caller',
    new OperationError('CLOUD_THROTTLED', 'X was not sent', { upstreamCode: 'NotSent' }),
  ],
  ['EC2 is unavailable', new OperationError('CLOUD_UNAVAILABLE', 'no answer')],
  ['the run has ended', new Error('a step beside ended the run')],
  ['nobody says why', undefined],
];

describe('a mutating call that is aborted while it is on its way', () => {
  it.each(REASONS)('because %s may have been applied: its outcome is unknown', async (_why, reason) => {
    const { clock, sent, cloud } = mute();
    const controller = new AbortController();
    const work = caught(cloud.terminateInstance('i-1', { signal: controller.signal }));
    await clock.advance(1_000);
    expect(sent).toEqual(['TerminateInstances']);
    controller.abort(reason);
    expect((await clock.runUntilSettled(work)).code).toBe('CLOUD_OUTCOME_UNKNOWN');
  });

  it.each(REASONS)('because %s, before it left, was certainly not applied', async (_why, reason) => {
    const { clock, sent, cloud } = mute();
    const { code } = await clock.runUntilSettled(
      caught(cloud.terminateInstance('i-1', { signal: AbortSignal.abort(reason) })),
    );
    expect(sent).toEqual([]);
    expect(['CLOUD_THROTTLED', 'LEASE_LOST']).toContain(code);
  });
});
