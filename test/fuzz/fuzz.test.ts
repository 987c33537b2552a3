import { agentIdOf, encodeProbe, FRAME_TYPE, hmacOf, instanceHashOf, TAG_BYTES } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { planted } from '../sim/planted/planted-bug.ts';
import { AGENT_INSTANCE, AGENT_KEY, AGENT_MEMBER } from './agent-target.ts';
import { replay, SIDES, Tally } from './episode.ts';
import { keptFixtures, stepsOf } from './fixture.ts';
import { output, SEED } from './fuzz-process.ts';
import { FUZZ_BUGS } from './planted/bugs.ts';
import { againCommand, fuzz } from './run.ts';
import type { Step } from './step.ts';

describe('hostile datagrams', () => {
  test('break nothing: not the receiving side, not the agent', async () => {
    const tally = new Tally();
    const failure = await fuzz({ sides: SIDES, seed: SEED, datagrams: 16_000, perEpisode: 1_000 }, tally);
    expect(
      failure && `${failure.finding.invariant}: ${failure.finding.text}\n${againCommand(failure.spec)}`,
    ).toBeNull();
    // The fire was real: everything was thrown, and met every kind of refusal.
    for (const what of ['replay', 'noise', 'truncate', 'resize', 'splice', 'swapType', 'insider-edgeField'])
      expect(tally.thrown.get(what), what).toBeGreaterThan(100);
    for (const outcome of ['malformed', 'unknown-agent', 'unknown-key', 'forged', 'replayed', 'stale', 'unconfirmed'])
      expect(tally.outcomes.get(`coordinator ${outcome}`), outcome).toBeGreaterThan(10);
    for (const outcome of [
      'not-ours',
      'bad-tag',
      'malformed',
      'other-epoch',
      'never-sent',
      'out-of-order',
      'duplicate',
    ])
      expect(tally.outcomes.get(`agent ${outcome}`), outcome).toBeGreaterThan(10);
    // The healthy agents were heard through it.
    expect(tally.outcomes.get('coordinator recorded')).toBeGreaterThan(500);
    expect(tally.outcomes.get('agent ack')).toBeGreaterThan(300);
  });

  test('of every length, cut and stretched from every type of frame and sealed again, break nothing', async () => {
    const seal = hmacOf(AGENT_KEY);
    const head = { keyId: 1, agentId: agentIdOf(AGENT_MEMBER), instanceHash: instanceHashOf(AGENT_INSTANCE) };
    const probe = encodeProbe({ ...head, coordinatorHash: 1, challenge: '00'.repeat(8) }, seal);
    const steps: Step[] = Object.values(FRAME_TYPE).flatMap((type) =>
      Array.from({ length: 260 }, (_, length) => {
        const bytes = new Uint8Array(length);
        bytes.set(probe.subarray(0, length));
        if (length > 1) bytes[1] = type;
        if (length > TAG_BYTES)
          bytes.set(seal(bytes.subarray(0, length - TAG_BYTES)).subarray(0, TAG_BYTES), length - TAG_BYTES);
        return {
          kind: 'datagram',
          atMs: 10,
          from: { address: '10.9.9.9', port: 9 },
          bytes,
          what: `${type} of ${length}`,
        };
      }),
    );
    for (const side of SIDES) expect(await replay(side, 1, steps)).toBeNull();
  });

  test('leave nothing behind: ten times as many need no more memory', async () => {
    const text = await output(null, ['--seed', SEED, '--datagrams', 1_000, '--memory', 2_000]);
    expect(text).toContain('nothing broke');
  });

  test('the same seed throws the same', async () => {
    const options = { sides: SIDES, seed: 7, datagrams: 1_000, perEpisode: 500 };
    const [one, two] = [new Tally(), new Tally()];
    await fuzz(options, one);
    await fuzz(options, two);
    expect(two).toEqual(one);
  });
});

describe('what once broke something', () => {
  test.each(keptFixtures())('%s breaks nothing any more', async (_, fixture) => {
    expect(await replay(fixture.side, fixture.nonce, stepsOf(fixture))).toBeNull();
  });
});

describe('a bug that is planted', () => {
  test('has a name of its own', () => {
    expect(new Set(FUZZ_BUGS.map(({ name }) => name)).size).toBe(FUZZ_BUGS.length);
  });

  test.each(FUZZ_BUGS)('$name still has its place in the code', (bug) => {
    expect(planted(bug)).toContain(bug.replace);
  });
});
