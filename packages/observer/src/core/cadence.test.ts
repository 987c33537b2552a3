import { SeededRandom } from '@understudy/shared/testing';
import { describe, expect, it } from 'vitest';
import { at, observer, run, watched, WireAgent } from './observe.fixtures.ts';

const M = 'db/a' as const;

/**
 * Speaks every `everyMs` ± 10 % until `untilMs`, and is watched meanwhile; probes are lost. Returns
 * the verdicts it went through, and when it spoke last.
 */
function speak(options: {
  readonly everyMs: number;
  readonly untilMs: number;
  readonly suspectAfterMs?: number;
  readonly loses?: (random: SeededRandom) => boolean;
  readonly pausesAtMs?: number;
}) {
  const { everyMs, untilMs, suspectAfterMs = 5_000, loses = () => false, pausesAtMs } = options;
  const random = new SeededRandom(7);
  const { table } = observer([watched(M, { suspectAfterMs })]);
  const agent = new WireAgent(M, 'i-db-a');
  agent.greet(table, 0);
  const verdicts: string[] = [];
  let nextMs = everyMs;
  let spokeMs = 0;
  run(table, 0, untilMs, (nowMs) => {
    while (nextMs <= nowMs) {
      if (!loses(random)) {
        agent.send(table, nextMs);
        spokeMs = nextMs;
      } else agent.sequence += 1n;
      const pauses = pausesAtMs !== undefined && nextMs >= pausesAtMs && nextMs < pausesAtMs + everyMs;
      nextMs += pauses ? 60_000 : everyMs * (0.9 + random.next() / 5);
    }
    const verdict = table.opinion(M)?.verdict ?? 'none';
    if (verdicts.at(-1) !== verdict) verdicts.push(verdict);
  });
  return { table, agent, verdicts, spokeMs };
}

const MINUTE_MS = 60_000;

describe('an agent that speaks more seldom than its policy allows', () => {
  it.each([
    [3_000, 5_000],
    [10_000, 5_000],
    [60_000, 5_000],
    [1_000, 500],
  ])(
    'every %i ms under suspectAfterMs %i: known after three intervals, then never suspected while it lives',
    (everyMs, suspectAfterMs) => {
      const { table, agent, verdicts, spokeMs } = speak({ everyMs, suspectAfterMs, untilMs: 4.5 * everyMs });
      verdicts.length = 0;
      const [slow] = table.slowAgents();
      expect(slow).toMatchObject({ member: M, suspectAfterMs });
      expect(slow?.intervalMs).toBeGreaterThan(0.88 * everyMs);
      expect(slow?.intervalMs).toBeLessThan(1.12 * everyMs);
      let spoke = spokeMs;
      for (let beat = 0; beat < 20; beat += 1) {
        run(table, spoke + 250, spoke + 1.1 * everyMs - 250, () => expect(table.opinion(M)?.verdict).toBe('alive'));
        spoke += 1.1 * everyMs;
        agent.send(table, spoke);
        table.tick(at(spoke));
      }
    },
  );

  it('is suspected after three of its intervals, and then found dead as any other', () => {
    const { table, spokeMs } = speak({ everyMs: 10_000, untilMs: 100_000 });
    const usedMs = table.slowAgents()[0]?.usedMs ?? 0;
    expect(usedMs).toBeGreaterThan(26_000);
    expect(usedMs).toBeLessThan(34_000);
    const seen: [string, number][] = [];
    run(table, 100_250, spokeMs + 60_000, (nowMs) => {
      const verdict = table.opinion(M)?.verdict ?? '';
      if (seen.at(-1)?.[0] !== verdict) seen.push([verdict, nowMs - spokeMs]);
    });
    expect(seen.map(([verdict]) => verdict)).toEqual(['alive', 'suspect', 'dead']);
    const suspectMs = seen[1]?.[1] ?? 0;
    expect(suspectMs).toBeGreaterThanOrEqual(usedMs);
    expect(suspectMs).toBeLessThan(usedMs + 500);
  });

  it('is no longer slow once it was started again with a shorter interval', () => {
    const { table, agent } = speak({ everyMs: 10_000, untilMs: 60_000 });
    expect(table.slowAgents()).toHaveLength(1);
    agent.epoch += 1n;
    agent.sequence = 0n;
    for (let ms = 61_000; ms < 66_000; ms += 1_000) agent.send(table, ms);
    expect(table.slowAgents()).toEqual([]);
  });

  it('is no longer taken for slow as soon as it was started again, and is known anew after three gaps', () => {
    const { table, agent } = speak({ everyMs: 10_000, untilMs: 60_000 });
    agent.epoch += 1n;
    agent.send(table, 61_000);
    expect(table.slowAgents()).toEqual([]);
    for (const ms of [71_000, 81_000]) agent.send(table, ms);
    expect(table.slowAgents()).toEqual([]);
    agent.send(table, 91_000);
    expect(table.slowAgents()).toEqual([{ member: M, intervalMs: 10_000, suspectAfterMs: 5_000, usedMs: 30_000 }]);
  });

  it('is not slow where two of its intervals just fit', () => {
    const { table, agent } = speak({ everyMs: 1_000, untilMs: 1_000 });
    let ms = 10_000;
    agent.send(table, ms);
    for (const gapMs of [2_600, 2_500, 2_500, 2_500, 2_500]) agent.send(table, (ms += gapMs));
    expect(table.slowAgents()).toEqual([]);
    for (const gapMs of [2_501, 2_501, 2_501]) agent.send(table, (ms += gapMs));
    expect(table.slowAgents()).toHaveLength(1);
  });
});

describe('an agent at 1 s is not taken for slow', () => {
  it.each<[string, Parameters<typeof speak>[0]]>([
    ['as it is', { everyMs: 1_000, untilMs: 10 * MINUTE_MS }],
    ['after a pause of a minute', { everyMs: 1_000, untilMs: 3 * MINUTE_MS, pausesAtMs: 60_000 }],
    ['at 10 % loss', { everyMs: 1_000, untilMs: 10 * MINUTE_MS, loses: (random) => random.next() < 0.1 }],
    ['at 60 % loss', { everyMs: 1_000, untilMs: 10 * MINUTE_MS, loses: (random) => random.next() < 0.6 }],
  ])('%s', (_, options) => {
    const { table } = speak(options);
    expect(table.slowAgents()).toEqual([]);
  });

  it('and when it falls silent it is suspected after 5 s as ever', () => {
    const { table, spokeMs } = speak({ everyMs: 1_000, untilMs: 2 * MINUTE_MS });
    run(table, 2 * MINUTE_MS + 250, spokeMs + 4_900, () => expect(table.opinion(M)?.verdict).toBe('alive'));
    run(table, spokeMs + 5_000, spokeMs + 5_250);
    expect(table.opinion(M)?.verdict).toBe('suspect');
  });

  it('and its answers to probes are no beats of its own', () => {
    const { table, agent } = speak({ everyMs: 10_000, untilMs: 60_000 });
    for (let ms = 60_500; ms < 69_000; ms += 500) agent.send(table, ms, { probeReply: true });
    expect(table.slowAgents()).toHaveLength(1);
  });
});
