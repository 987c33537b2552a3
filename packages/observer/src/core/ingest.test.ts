import {
  ACK_BYTES,
  agentIdOf,
  encodeHeartbeat,
  encodeProbe,
  HEARTBEAT_BYTES,
  instanceHashOf,
} from '@understudy/shared';
import { exercised } from '@understudy/shared/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { at, FAILING, FROM, observer, run, watched, WireAgent } from './observe.fixtures.ts';
import { RECEIVE_OUTCOMES } from './types.ts';

const M = 'db/a' as const;
const I = 'i-db-a';
const make = () => ({ ...observer([watched(M)]), agent: new WireAgent(M, I) });

describe('what is not ours is counted and dropped without an answer', () => {
  it('a garbage datagram of any length never throws and never gets an answer', () => {
    const { table } = make();
    const seen = exercised();
    const lengths = fc.oneof(fc.nat(300), fc.constant(HEARTBEAT_BYTES));
    const garbage = lengths.chain((length) => fc.uint8Array({ minLength: length, maxLength: length, size: 'max' }));
    fc.assert(
      fc.property(garbage, (bytes) => {
        seen.note(bytes.length === HEARTBEAT_BYTES ? 'as long as ours' : bytes.length > 100 ? 'long' : 'short');
        const result = table.receive(bytes, FROM, at(1));
        expect(result.ack).toBeNull();
        // Version and type may be right by chance; then nobody has that id.
        expect(['malformed', 'unknown-agent']).toContain(result.outcome);
      }),
    );
    expect(table.counts.malformed + table.counts['unknown-agent']).toBe(100);
    seen.atLeast({ 'as long as ours': 20, long: 8, short: 5 });
  });

  it('one flipped bit anywhere makes a heartbeat worthless', () => {
    const { table, agent } = make();
    const good = agent.beat();
    for (let bit = 0; bit < HEARTBEAT_BYTES * 8; bit++) {
      const bad = good.slice();
      bad[bit >> 3] = (bad[bit >> 3] as number) ^ (1 << (bit & 7));
      const { outcome, ack } = table.receive(bad, FROM, at(1));
      expect(ack).toBeNull();
      expect(['malformed', 'unknown-agent', 'unknown-key', 'forged']).toContain(outcome);
    }
    expect(table.counts.forged).toBeGreaterThan(1_000);
    expect(table.receive(good, FROM, at(1)).outcome).toBe('unconfirmed');
  });

  it('a member that is not on the roster, a key id that is not ours, an ack and a probe', () => {
    const { table, agent } = make();
    expect(new WireAgent('db/stranger', 'i-1').send(table, 1).outcome).toBe('unknown-agent');
    expect(new WireAgent(M, I, 3).send(table, 1).outcome).toBe('unknown-key');
    const probe = encodeProbe(
      {
        keyId: 1,
        agentId: agentIdOf(M),
        instanceHash: instanceHashOf(I),
        coordinatorHash: 1,
        challenge: '00'.repeat(8),
      },
      agent.mac,
    );
    expect(table.receive(probe, FROM, at(1))).toEqual({ outcome: 'malformed', ack: null });
  });

  it('the key of one member does not speak for another', () => {
    const { table } = observer([watched(M), watched('db/b')]);
    const thief = new WireAgent('db/b', 'i-db-b');
    const forged = encodeHeartbeat(
      {
        keyId: 1,
        flags: { ackRequested: true, probeReply: false, serving: false, goodbye: false },
        agentId: agentIdOf(M),
        instanceHash: instanceHashOf(I),
        bootEpoch: 9n,
        sequence: 9n,
        challenge: '00'.repeat(8),
        checks: thief.checks,
        servePromise: null,
        acks: [],
      },
      thief.mac,
    );
    expect(table.receive(forged, FROM, at(1))).toEqual({ outcome: 'forged', ack: null });
  });

  it('a check status out of range is malformed although the tag is right', () => {
    const { table, agent } = make();
    agent.checks = [{ status: 'nonsense' as never, code: 0, ageSeconds: 0 }];
    expect(table.receive(agent.beat(), FROM, at(1)).outcome).toBe('malformed');
  });

  it('every outcome is one of the counted ones and the counts add up', () => {
    const { table, agent } = make();
    for (let i = 0; i < 7; i++) agent.send(table, i * 1_000);
    const total = RECEIVE_OUTCOMES.reduce((sum, outcome) => sum + table.counts[outcome], 0);
    expect(total).toBe(7);
  });
});

describe('challenge', () => {
  it('a heartbeat that does not echo it is answered with it, but is no sign of life', () => {
    const { table, agent } = make();
    const { outcome, ack } = table.receive(agent.beat(), FROM, at(1_000));
    expect(outcome).toBe('unconfirmed');
    expect(table.opinion(M)).toMatchObject({ verdict: 'unknown', reason: 'NeverHeard' });
    expect(table.reading(M, I)).toBeNull();
    agent.hear(ack as Uint8Array);
    expect(agent.send(table, 1_500).outcome).toBe('recorded');
    expect(table.opinion(M)).toMatchObject({ verdict: 'alive', reason: 'Heard', lastHeardMs: 1_500 });
  });

  it('recordings of a whole life, played to the next process of this observer, say nothing', () => {
    const { table, agent } = make();
    agent.greet(table, 0);
    const recorded = Array.from({ length: 50 }, () => agent.beat());
    for (const bytes of recorded) expect(table.receive(bytes, FROM, at(10)).outcome).toBe('recorded');
    const restarted = observer([watched(M)], {}, 2);
    for (const [i, bytes] of recorded.entries())
      expect(restarted.table.receive(bytes, FROM, at(i * 200)).outcome).toBe('unconfirmed');
    expect(restarted.table.opinion(M)?.verdict).toBe('unknown');
    expect(restarted.table.counts.recorded).toBe(0);
  });

  it('is another one for another instance of the same member, and for another process', () => {
    const { table, agent } = make();
    const other = new WireAgent(M, 'i-other');
    agent.greet(table, 0);
    other.greet(table, 0);
    expect(other.challenge).not.toBe(agent.challenge);
    const { table: second } = observer([watched(M)], {}, 2);
    const before = agent.challenge;
    agent.greet(second, 0);
    expect(agent.challenge).not.toBe(before);
  });
});

describe('replay', () => {
  it('the same datagram counts once; one more than 64 behind is stale', () => {
    const { table, agent } = make();
    agent.greet(table, 0);
    const old = agent.beat();
    const bytes = agent.beat();
    expect(table.receive(bytes, FROM, at(1)).outcome).toBe('recorded');
    expect(table.receive(bytes, FROM, at(2))).toEqual({ outcome: 'replayed', ack: null });
    agent.sequence += 64n;
    agent.send(table, 3);
    expect(table.receive(old, FROM, at(4)).outcome).toBe('stale');
  });

  it('a newer boot epoch is a restarted agent and refutes suspicion; the older epoch is stale from then on', () => {
    const { table, agent } = make();
    agent.greet(table, 0);
    const old = agent.beat();
    run(table, 250, 6_000);
    expect(table.opinion(M)?.verdict).toBe('suspect');
    agent.epoch = 2n;
    agent.sequence = 0n;
    expect(agent.send(table, 6_100).outcome).toBe('recorded');
    expect(table.opinion(M)).toMatchObject({ verdict: 'alive', sinceMs: 6_100 });
    expect(table.reading(M, I)?.bootEpoch).toBe(2n);
    expect(table.receive(old, FROM, at(6_200)).outcome).toBe('stale');
  });
});

describe('the moment a boot epoch was first heard, which the right to serve rests on', () => {
  it('is that of its first authentic datagram, confirmed or not, and stays', () => {
    const made = observer([watched(M)]);
    const agent = new WireAgent(M, I);
    expect(agent.send(made.table, 1_000).outcome).toBe('unconfirmed');
    expect(made.bootHeardAtMs).toBe(1_000);
    for (let atMs = 2_000; atMs <= 9_000; atMs += 1_000) agent.send(made.table, atMs);
    expect(made.bootHeardAtMs).toBe(1_000);
  });

  it('is a new one for every restart of the agent, but not for a late datagram of an earlier boot', () => {
    const made = observer([watched(M)]);
    const agent = new WireAgent(M, I);
    agent.greet(made.table, 1_000);
    const late = agent.beat();
    agent.epoch = 2n;
    agent.sequence = 0n;
    agent.send(made.table, 20_000);
    expect(made.table.receive(late, FROM, at(21_000)).outcome).toBe('stale');
    agent.send(made.table, 22_000);
    expect(made.bootHeardAtMs).toBe(20_000);
  });

  it('is not moved by what is forged, and begins anew in a row made anew', () => {
    const made = observer([watched(M)]);
    const stranger = new WireAgent(M, 'i-stranger');
    stranger.greet(made.table, 1_000);
    const forged = stranger.beat();
    forged[HEARTBEAT_BYTES - 1] = (forged[HEARTBEAT_BYTES - 1] as number) ^ 1;
    expect(made.table.receive(forged, FROM, at(2_000)).outcome).toBe('forged');
    stranger.send(made.table, 3_000);
    expect(made.bootHeardAtMs).toBe(1_000);
    for (let i = 0; i < 20; i++) new WireAgent(M, `i-other-${i}`).greet(made.table, 4_000 + i);
    stranger.send(made.table, 5_000);
    expect(made.bootHeardAtMs).toBe(5_000);
  });
});

describe('acks', () => {
  it('at most one in five, on a steady path', () => {
    const { table, agent } = make();
    agent.greet(table, 0);
    let acks = 0;
    for (let i = 1; i <= 100; i++) if (agent.send(table, i * 1_000).ack) acks++;
    expect(acks).toBe(20);
  });

  it('at once on request and when the answer changed, but not faster than the bound per agent', () => {
    const made = observer([watched(M)]);
    const { table } = made;
    const agent = new WireAgent(M, I);
    agent.greet(table, 0);
    expect(agent.send(table, 1_000).ack).toBeNull();
    expect(agent.send(table, 2_000, { ackRequested: true }).ack).not.toBeNull();
    made.answer = { ...made.answer, activation: 'fenced' };
    const changed = agent.send(table, 3_000).ack;
    expect(agent.hear(changed as Uint8Array).activation).toBe('fenced');
    let acks = 0;
    for (let i = 0; i < 1_000; i++) if (agent.send(table, 4_000 + i, { ackRequested: true }).ack) acks++;
    expect(acks).toBe(10);
  });

  it('is never larger than its request and carries activation, opinion and what it acknowledges', () => {
    const { table, agent } = make();
    agent.greet(table, 0);
    const { ack } = agent.send(table, 1_000, { ackRequested: true });
    expect(ack).toHaveLength(ACK_BYTES);
    expect(ACK_BYTES).toBeLessThan(HEARTBEAT_BYTES);
    expect(agent.hear(ack as Uint8Array)).toMatchObject({
      opinion: 'alive',
      activation: 'active',
      incarnation: 1,
      holdsForMs: 20_000,
      term: 5n,
      leaderLive: true,
      sequence: agent.sequence,
      bootEpoch: 1n,
    });
  });
});

describe('readings', () => {
  it('of an instance the roster does not name exist from its first confirmed heartbeat', () => {
    const { table } = make();
    const replacement = new WireAgent(M, 'i-new');
    expect(table.reading(M, 'i-new')).toBeNull();
    replacement.greet(table, 1_000);
    expect(table.reading(M, 'i-new')).toMatchObject({ lastHeardAtMs: 1_000, passingSinceMs: 1_000 });
    expect(table.opinion(M)?.verdict).toBe('unknown');
    table.setRoster([watched(M, { activatedInstanceId: 'i-new' })], at(1_200));
    table.tick(at(1_250));
    expect(table.opinion(M)).toMatchObject({ instanceId: 'i-new', verdict: 'alive' });
  });

  it('strangers are bounded per member, the least useful goes first, the activated and the known stay', () => {
    const { table } = observer([watched(M, { knownInstanceIds: ['i-known'] })]);
    new WireAgent(M, I).greet(table, 0);
    new WireAgent(M, 'i-known').greet(table, 1);
    for (let i = 0; i < 20; i++) new WireAgent(M, `i-stranger-${i}`).greet(table, 10 + i);
    expect(table.reading(M, I)).not.toBeNull();
    expect(table.reading(M, 'i-known')).not.toBeNull();
    const kept = Array.from({ length: 20 }, (_, i) => table.reading(M, `i-stranger-${i}`)).filter(Boolean);
    expect(kept).toHaveLength(3);
    expect(table.reading(M, 'i-stranger-19')).not.toBeNull();
  });

  it('a passing run begins anew after a failing check and after a gap', () => {
    const { table, agent } = make();
    agent.greet(table, 0);
    agent.send(table, 1_000);
    expect(table.reading(M, I)).toMatchObject({ passingSinceMs: 0 });
    agent.checks = FAILING;
    agent.send(table, 2_000);
    agent.send(table, 3_000);
    expect(table.reading(M, I)?.passingSinceMs).toBeNull();
    agent.checks = new WireAgent(M, I).checks;
    agent.send(table, 4_000);
    agent.send(table, 8_900);
    expect(table.reading(M, I)?.passingSinceMs).toBe(4_000);
    agent.send(table, 13_900);
    expect(table.reading(M, I)?.passingSinceMs).toBe(13_900);
  });

  it('one that was overtaken proves life, and does not bring back what it says', () => {
    const { table, agent } = make();
    const healthy = agent.checks;
    agent.greet(table, 0);
    agent.checks = healthy.map((check, slot) => (slot === 0 ? { ...check, status: 'fail' as const } : check));
    const overtaken = agent.beat();
    agent.checks = healthy;
    agent.send(table, 1_000);
    const newest = table.reading(M, I);
    expect(table.receive(overtaken, { address: '10.9.9.9', port: 1 }, at(1_010)).outcome).toBe('recorded');
    expect(table.reading(M, I)).toEqual({ ...newest, lastHeardAtMs: 1_010 });
  });

  it('an unknown check is neither passing nor failing', () => {
    const { table, agent } = make();
    agent.checks = agent.checks.map((check, slot) => (slot === 0 ? { ...check, status: 'unknown' as const } : check));
    agent.greet(table, 0);
    expect(table.reading(M, I)?.passingSinceMs).toBeNull();
    expect(table.reading(M, I)?.checks[0]).toEqual({ status: 'unknown', code: 0, ageSeconds: 1, failingSinceMs: null });
  });
});

describe('each failing check has a clock of its own', () => {
  const scene = () => {
    const made = make();
    const healthy = made.agent.checks;
    const { table, agent } = made;
    agent.greet(table, 0);
    return {
      ...made,
      /** One heartbeat in which exactly these slots fail. */
      beat: (nowMs: number, ...slots: readonly number[]) => {
        agent.checks = healthy.map((check, slot) =>
          slots.includes(slot) ? { ...check, status: 'fail' as const } : check,
        );
        agent.send(table, nowMs);
      },
      since: () => table.reading(M, I)?.checks.map((check) => check.failingSinceMs),
    };
  };
  const NONE = [null, null, null, null, null, null, null];

  it('from the first heartbeat that reports it, while others come and go', () => {
    const { beat, since } = scene();
    expect(since()).toEqual(NONE);
    beat(1_000, 1);
    beat(2_000, 0, 1);
    beat(3_000, 0, 1, 6);
    expect(since()).toEqual([2_000, 1_000, null, null, null, null, 3_000]);
    beat(4_000, 1, 6);
    expect(since()).toEqual([null, 1_000, null, null, null, null, 3_000]);
    beat(5_000, 0, 1);
    expect(since()).toEqual([5_000, 1_000, null, null, null, null, null]);
    beat(6_000);
    expect(since()).toEqual(NONE);
  });

  it('two that take turns for a minute have each failed for five seconds only', () => {
    const { beat, since, table } = scene();
    for (let nowMs = 1_000; nowMs <= 60_000; nowMs += 1_000) beat(nowMs, Math.floor((nowMs - 1_000) / 5_000) % 2);
    expect(table.reading(M, I)?.passingSinceMs).toBeNull();
    expect(since()).toEqual([null, 56_000, null, null, null, null, null]);
  });

  it('a gap in the heartbeats begins all of them anew: nobody knows what was in between', () => {
    const { beat, since } = scene();
    beat(1_000, 0);
    beat(2_000, 0, 1);
    beat(7_000, 0, 1);
    expect(since()?.slice(0, 2)).toEqual([7_000, 7_000]);
  });

  it('an instance that is forgotten and comes back has none of its predecessor in the row', () => {
    const { beat, table } = scene();
    beat(1_000, 0, 1);
    table.setRoster([], at(1_500));
    table.setRoster([watched(M)], at(1_600));
    const again = new WireAgent(M, I);
    again.greet(table, 2_000);
    expect(table.reading(M, I)?.checks.map((check) => check.failingSinceMs)).toEqual(NONE);
  });
});
