import { type Cloud, OperationError } from '@understudy/shared';
import { SimClock } from '@understudy/shared/testing';
import type { ShownCall } from '@understudy/recovery';
import { describe, expect, it } from 'vitest';
import { CallTrials } from './call-trials.ts';

const HOUR_MS = 3_600_000;

const call = (action: string, kind: 'as-planned' | 'none' = 'as-planned'): ShownCall => ({
  ...{ action, parameters: { of: action } },
  planned: {
    ...{ name: action, when: null, send: async () => action },
    trial: kind === 'none' ? { kind, why: 'it is made later' } : { kind },
  },
});

function world(answers: Readonly<Record<string, OperationError>> = {}, everyMs = HOUR_MS, onlyHarmless = false) {
  const clock = new SimClock();
  const asked: string[] = [];
  const cloud: Pick<Cloud, 'tryCall'> = {
    tryCall: async (send) => {
      const action = String(await send({} as Cloud));
      asked.push(action);
      const error = answers[action];
      if (error) throw error;
    },
  };
  const trials = new CallTrials({ cloud, clock, everyMs, onlyHarmless });
  const words = async (calls: readonly ShownCall[], askMax = 10) =>
    (await trials.words(calls, askMax, new AbortController().signal)).map(({ word }) => word);
  return { clock, asked, words };
}

/** A call that is tried with something else, which may lack what a right hangs on. */
const standIn = (action: string, asked: string, over: { lacks?: string } = {}): ShownCall => ({
  ...{ action, parameters: { of: action }, asked: { action: asked, parameters: { of: asked } } },
  planned: {
    ...{ name: action, when: null, send: async () => action },
    trial: { kind: 'with', send: async () => asked, text: 'tried with another', ...over },
  },
});

describe('EC2 is asked about the calls of a plan', () => {
  it('but never where it would do what it is asked, as it stands or with what stands in', async () => {
    const { asked, words } = world();
    const [gone, put] = ['UnassignPrivateIpAddresses', 'AssignIpv6Addresses'] as const;
    expect(await words([call(gone), standIn('Stop', put), standIn(put, 'StopInstances')])).toEqual(
      Array.from({ length: 3 }, () => 'cannot-be-asked'),
    );
    expect(asked).toEqual([]);
  });

  it('with what stands in: one question for all calls that it answers', async () => {
    const { asked, words } = world();
    const calls = [call('StopInstances'), standIn('Stop', 'StopInstances'), standIn('Halt', 'StopInstances')];
    expect(await words(calls)).toEqual(['allowed', 'allowed', 'allowed']);
    expect(asked).toEqual(['StopInstances']);
  });

  it('and a denial of what lacks a mark says nothing, where a yes, or a denial of an equal, does', async () => {
    const { words } = world({ DeleteIt: new OperationError('CLOUD_DENIED', 'no') });
    const lacks = { lacks: 'the mark of a recovery' };
    expect(
      await words([standIn('A', 'DeleteIt', lacks), standIn('B', 'DeleteIt'), standIn('C', 'Yes', lacks)]),
    ).toEqual(['cannot-be-asked', 'denied', 'allowed']);
  });

  it('and not with what stands in where an endpoint may take a question for the deed', async () => {
    const { asked, words } = world({}, HOUR_MS, true);
    // A start, too: who was seen running may have been fenced when the question arrives.
    const calls = [standIn('Tag', 'CreateTags'), standIn('Start', 'StartInstances')];
    expect(await words(calls)).toEqual(['not-asked', 'not-asked']);
    expect(asked).toEqual([]);
  });

  it('in the order of the plan, but for the harmless one, which goes first', async () => {
    const { asked, words } = world();
    expect(await words([call('StopInstances'), call('CreateTags')])).toEqual(['allowed', 'allowed']);
    expect(asked).toEqual(['CreateTags', 'StopInstances']);
  });

  it('and a yes is kept, a no is asked again after a minute', async () => {
    const denied = new OperationError('CLOUD_DENIED', 'no');
    const { clock, asked, words } = world({ StopInstances: denied });
    const calls = [call('CreateTags'), call('StopInstances')];
    expect(await words(calls)).toEqual(['allowed', 'denied']);
    expect(await words(calls)).toEqual(['allowed', 'denied']);
    expect(asked).toHaveLength(2);
    await clock.advance(60_000);
    await words(calls);
    expect(asked.slice(2)).toEqual(['StopInstances']);
    await clock.advance(HOUR_MS);
    await words(calls);
    expect(asked.slice(3)).toEqual(['CreateTags', 'StopInstances']);
  });

  it('and where somebody stands in EC2’s place, only about what would do no harm', async () => {
    const { asked, words } = world({}, HOUR_MS, true);
    const calls = ['StopInstances', 'CreateTags', 'ModifyInstanceAttribute', 'CreateSnapshots'].map((one) => call(one));
    expect(await words(calls)).toEqual(['not-asked', 'allowed', 'not-asked', 'not-asked']);
    expect(asked).toEqual(['CreateTags']);
  });

  it('never about what only the recovery makes', async () => {
    const { asked, words } = world();
    expect(await words([call('RegisterImage', 'none')])).toEqual(['cannot-be-asked']);
    expect(asked).toEqual([]);
  });

  it('never at all where the configuration says so', async () => {
    const { asked, words } = world({}, 0);
    expect(await words([call('CreateTags')])).toEqual(['not-asked']);
    expect(asked).toEqual([]);
  });

  it('a few at a time, and slowly: 20 at once, then one in two seconds', async () => {
    const { clock, asked, words } = world();
    const calls = Array.from({ length: 30 }, (_, index) => call(`Call${index}`));
    expect((await words(calls, 5)).filter((word) => word === 'allowed')).toHaveLength(5);
    await words(calls, 30);
    expect(asked).toHaveLength(20);
    await clock.advance(4_000);
    await words(calls, 30);
    expect(asked).toHaveLength(22);
  });

  it('an unclear answer is no word, and a refusal is told apart from a denial', async () => {
    const { words } = world({
      CreateTags: new OperationError('CLOUD_UNAVAILABLE', 'busy'),
      RunInstances: new OperationError('CLOUD_REJECTED', 'bad'),
    });
    expect(await words([call('CreateTags'), call('RunInstances')])).toEqual(['not-asked', 'refused']);
  });
});
