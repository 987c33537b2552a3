import { deriveAgentKey, type MemberId } from '@understudy/shared';
import { exercised } from '@understudy/shared/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HeartbeatBatch } from './heartbeat-batch.ts';
import { ANSWER, at, FROM, MASTER, observer, watched, WireAgent } from './observe.fixtures.ts';
import { ObserverTable } from './observer-table.ts';
import { HMAC_TAGS } from './tag-verifier/hmac-midstate.ts';
import { FourAtOnce, OneByOne } from './tag-verifier/tag-verifier.ts';

describe('a batch', () => {
  const members = Array.from({ length: 6 }, (_, i) => `db/m${i}` as MemberId);
  const oneByOne = new OneByOne({ states: new Int32Array(0), tagMatches: () => false });
  const setUp = (apart?: 'apart') => {
    const { table } = observer(members.map((member) => watched(member)));
    expect(table.ingest.verifier).toBeInstanceOf(FourAtOnce);
    const agents = members.map((member) => new WireAgent(member, `i-${member.replace('/', '-')}`));
    for (const agent of agents) agent.greet(table, 0);
    const outcomes: string[] = [];
    const onResult = ({ outcome }: { readonly outcome: string }) => void outcomes.push(outcome);
    const batch = apart ? new HeartbeatBatch(table, onResult, oneByOne) : new HeartbeatBatch(table, onResult);
    return { table, agents, outcomes, batch };
  };

  it('judges as of arrival and waits for four or a flush', () => {
    const { table, agents, outcomes, batch } = setUp();
    agents.slice(0, 3).forEach((agent, i) => batch.add(agent.beat(), FROM, at(1_000 + i)));
    expect(outcomes).toEqual([]);
    expect(batch.pendingCount).toBe(3);
    batch.flush();
    expect(outcomes).toEqual(['recorded', 'recorded', 'recorded']);
    expect(members.slice(0, 3).map((member) => table.opinion(member)?.lastHeardMs)).toEqual([1_000, 1_001, 1_002]);
    for (const agent of agents.slice(0, 4)) batch.add(agent.beat(), FROM, at(2_000));
    expect(batch.pendingCount).toBe(0);
    expect(outcomes).toHaveLength(7);
  });

  it('gives what one by one gives, whatever the mixture', () => {
    const seen = exercised();
    const kind = fc.record({
      agent: fc.integer({ min: 0, max: 5 }),
      what: fc.constantFrom('good', 'again', 'forged', 'garbage', 'stranger', 'flush'),
    });
    fc.assert(
      fc.property(fc.array(kind, { minLength: 10, maxLength: 60, size: 'max' }), (steps) => {
        const together = setUp();
        const apart = setUp('apart');
        for (const { agent, what } of steps) {
          if (what === 'flush') {
            together.batch.flush();
            continue;
          }
          for (const one of [together, apart]) {
            const sender = what === 'stranger' ? new WireAgent('x/y', 'i-x') : (one.agents[agent] as WireAgent);
            if (what === 'again') sender.sequence--;
            const datagram = what === 'garbage' ? new Uint8Array(agent * 40) : sender.beat();
            if (what === 'forged') datagram[150] = (datagram[150] as number) ^ 1;
            one.batch.add(datagram, FROM, at(1_000));
          }
        }
        together.batch.flush();
        expect(together.outcomes.toSorted()).toEqual(apart.outcomes.toSorted());
        expect(together.table.opinions()).toEqual(apart.table.opinions());
        for (const outcome of together.outcomes) seen.note(outcome);
      }),
      { numRuns: 100 },
    );
    seen.atLeast({ recorded: 300, replayed: 200, forged: 200, malformed: 200, 'unknown-agent': 200 });
  });

  it.each([1, 3])('of %i gives each its own sender and moments, and acks at the pace of when it was read', (count) => {
    const { table, agents } = setUp();
    const told: [string, boolean][] = [];
    const batch = new HeartbeatBatch(table, ({ ack }, from) => told.push([from.address, ack !== null]));
    const send = (heardAtMs: number, nowMs: number) => {
      for (const [i, agent] of agents.slice(0, count).entries())
        batch.add(
          agent.beat({ ackRequested: true }),
          { address: `10.0.0.${i}`, port: 7 },
          at(heardAtMs + i),
          at(nowMs),
        );
      expect(batch.pendingCount).toBe(count);
      batch.flush();
      return told.splice(0);
    };
    const each = (isAcked: boolean) => Array.from({ length: count }, (_, i) => [`10.0.0.${i}`, isAcked]);
    expect([send(1_000, 5_000), send(2_000, 5_099), send(3_000, 5_100)]).toEqual([each(true), each(false), each(true)]);
    const heard = members.slice(0, count).map((member) => table.opinion(member)?.lastHeardMs);
    expect(heard).toEqual(Array.from({ length: count }, (_, i) => 3_000 + i));
  });

  it('checks four at once only what is tagged as it can check: others one by one, at once', () => {
    const table = new ObserverTable({
      ...{ coordinatorId: 'c1', startedAtMs: at(0), nonce: new Uint8Array(16), keyIds: [1] },
      keyOf: () => MASTER,
      activations: { answer: () => ANSWER },
      tags: HMAC_TAGS,
    });
    const outcomes: string[] = [];
    const batch = new HeartbeatBatch(table, ({ outcome }) => outcomes.push(outcome));
    batch.add(new WireAgent('db/m0', 'i-1').beat(), FROM, at(0));
    expect([batch.pendingCount, outcomes]).toEqual([0, ['unknown-agent']]);
  });

  it('works one by one where there is no vector unit', () => {
    const { agents, outcomes, batch } = setUp('apart');
    for (const agent of agents) batch.add(agent.beat(), FROM, at(1_000));
    expect(outcomes).toHaveLength(6);
  });

  it('a member taken off the roster between arrival and flush is unknown, not a crash', () => {
    const { table, agents, outcomes, batch } = setUp();
    for (const agent of agents.slice(0, 3)) batch.add(agent.beat(), FROM, at(1_000));
    table.setRoster([watched(members[1] as MemberId)], at(1_001));
    batch.flush();
    expect(outcomes).toEqual(['unknown-agent', 'recorded', 'unknown-agent']);
  });
});

it('the derived key is what the agent has', () => {
  expect(deriveAgentKey(MASTER, 1, 'db/a')).not.toEqual(deriveAgentKey(MASTER, 2, 'db/a'));
});
