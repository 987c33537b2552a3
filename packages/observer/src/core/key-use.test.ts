import { decodeProbe, deriveAgentKey, hmacOf, tagMatches } from '@understudy/shared';
import { SeededRandom } from '@understudy/shared/testing';
import { describe, expect, it } from 'vitest';
import { at, FROM, MASTER, observer, run, watched, WireAgent } from './observe.fixtures.ts';
import type { ObserverTable } from './observer-table.ts';

const M = 'db/a' as const;
const OTHER_MASTER = new Uint8Array(32).fill(8);
const keyOf = (keyId: number, member: typeof M | `${string}/${string}`) => deriveAgentKey(MASTER, keyId, member);

/** Takes `ids` as the keys from now on; those it had stay the same unless `kept` says otherwise. */
const setKeys = (table: ObserverTable, keyIds: readonly number[], kept: readonly number[] = table.keyIds) =>
  table.setKeys({ keyIds, keyOf, kept: new Set(kept) });

/** Beats once a second from `fromMs` to `untilMs`, ticks every 250 ms. */
function live(table: ObserverTable, agents: readonly WireAgent[], fromMs: number, untilMs: number): void {
  run(table, fromMs, untilMs, (nowMs) => {
    if (nowMs % 1_000 === 0) for (const agent of agents) agent.send(table, nowMs);
  });
}

const verdict = (table: ObserverTable) => {
  const { verdict: said, reason } = table.opinion(M) ?? {};
  return `${said} ${reason}`;
};

describe('taking a key while agents speak', () => {
  it('hears everybody on, old and new, and derives nothing anew for the key that stays', () => {
    const agents = ['db/a', 'db/b'].map((member) => new WireAgent(member as typeof M, `i-${member.replace('/', '-')}`));
    const { table } = observer([watched('db/a'), watched('db/b')]);
    setKeys(table, [1]);
    for (const agent of agents) agent.greet(table, 1_000);
    live(table, agents, 2_000, 5_000);
    let derived = 0;
    table.setKeys({
      keyIds: [1, 2],
      keyOf: (keyId, member) => {
        derived++;
        return keyOf(keyId, member);
      },
      kept: new Set([1]),
    });
    live(table, agents, 6_000, 20_000);
    expect(derived).toBe(0);
    expect(table.opinions().map((one) => one.verdict)).toEqual(['alive', 'alive']);
    expect(table.counts).toMatchObject({ forged: 0, 'unknown-key': 0, replayed: 0, stale: 0 });
    const renewed = new WireAgent(M, 'i-db-a', 2);
    Object.assign(renewed, { sequence: agents[0]?.sequence, challenge: agents[0]?.challenge });
    expect(renewed.send(table, 21_000).outcome).toBe('recorded');
    expect(derived).toBe(1);
    expect(table.memberKeys().map((one) => one.keyId)).toEqual([2, 1]);
    expect(table.usersOf(1, at(21_000))).toEqual(['db/b']);
  });

  it('the layout survives any change of ids, for every slot', () => {
    const random = new SeededRandom(4);
    const members = Array.from({ length: 40 }, (_, i) => `db/m${i}` as const);
    const { table } = observer(members.map((member) => watched(member)));
    const agents = members.map((member) => new WireAgent(member, `i-${member.replace('/', '-')}`));
    for (const agent of agents) agent.greet(table, 1_000);
    const sets = [[1], [2, 1], [1, 2], [3, 1], [1], [1, 9]];
    for (let round = 0; round < 30; round++) {
      const ids = sets[Math.floor(random.next() * sets.length)] ?? [1];
      const kept = table.keyIds.filter((id) => ids.includes(id));
      setKeys(table, ids, kept);
      for (const agent of agents) expect(agent.send(table, 2_000 + round * 1_000).outcome).toBe('recorded');
    }
  });
});

describe('a key that is taken away', () => {
  it('makes silence prove nothing: unknown, KeyRetired, never suspect or dead', () => {
    const agent = new WireAgent(M, 'i-db-a');
    const { table } = observer([watched(M)]);
    agent.greet(table, 1_000);
    live(table, [agent], 2_000, 5_000);
    setKeys(table, [2]);
    table.takeChanges();
    const seen = new Set<string>();
    run(table, 5_250, 60_000, (nowMs) => {
      if (nowMs % 1_000 === 0) expect(agent.send(table, nowMs).outcome).toBe('unknown-key');
      for (const change of table.takeChanges()) seen.add(`${change.verdict} ${change.reason}`);
    });
    expect([...seen]).toEqual(['unknown KeyRetired']);
    expect(table.memberKeys()[0]).toMatchObject({ state: 'retired', keyId: null, lastHeardMs: 5_000 });
  });

  it('ends with the first heartbeat under a key that is accepted', () => {
    const agent = new WireAgent(M, 'i-db-a');
    const { table } = observer([watched(M)]);
    agent.greet(table, 1_000);
    setKeys(table, [2]);
    run(table, 1_250, 20_000);
    expect(verdict(table)).toBe('unknown KeyRetired');
    const renewed = new WireAgent(M, 'i-db-a', 2);
    Object.assign(renewed, { sequence: agent.sequence, challenge: agent.challenge });
    renewed.send(table, 20_500);
    expect(verdict(table)).toBe('alive Heard');
    run(table, 20_750, 40_000);
    expect(verdict(table)).toBe('dead ProbesFailed');
  });

  it('clears a suspicion and a death that rest on it', () => {
    for (const diesAtMs of [8_000, 20_000]) {
      const agent = new WireAgent(M, 'i-db-a');
      const { table } = observer([watched(M)]);
      agent.greet(table, 1_000);
      run(table, 1_250, diesAtMs);
      expect(verdict(table)).toMatch(diesAtMs === 8_000 ? /^suspect/ : /^dead/);
      setKeys(table, [2]);
      run(table, diesAtMs + 250, diesAtMs + 20_000);
      expect(verdict(table)).toBe('unknown KeyRetired');
      expect(table.planProbes(at(diesAtMs + 20_500))).toEqual([]);
    }
  });

  it('taken back, does not turn the silence of meanwhile into an accusation; being heard again does end it', () => {
    const agent = new WireAgent(M, 'i-db-a');
    const { table } = observer([watched(M)]);
    agent.greet(table, 1_000);
    setKeys(table, [2]);
    run(table, 1_250, 20_000);
    setKeys(table, [1, 2], [2]);
    run(table, 20_250, 40_000);
    expect(verdict(table)).toBe('unknown KeyRetired');
    agent.send(table, 40_500);
    expect(verdict(table)).toBe('alive Heard');
  });

  it('and the same id with another secret is not mistaken for it', () => {
    const agent = new WireAgent(M, 'i-db-a');
    const { table } = observer([watched(M)]);
    agent.greet(table, 1_000);
    table.setKeys({
      keyIds: [1],
      keyOf: (keyId, member) => deriveAgentKey(OTHER_MASTER, keyId, member),
      kept: new Set(),
    });
    run(table, 1_250, 30_000, (nowMs) => {
      if (nowMs % 1_000 === 0) expect(agent.send(table, nowMs).outcome).toBe('forged');
    });
    expect(verdict(table)).toBe('unknown KeyRetired');
  });

  it('says nothing about those who speak with another one: they are judged as ever', () => {
    const agent = new WireAgent(M, 'i-db-a', 2);
    const { table } = observer([watched(M)]);
    agent.greet(table, 1_000);
    setKeys(table, [2]);
    run(table, 1_250, 20_000);
    expect(verdict(table)).toBe('dead ProbesFailed');
  });

  it('does not make this observer believe that it is deaf', () => {
    const retired = Array.from({ length: 6 }, (_, i) => new WireAgent(`db/r${i}`, `i-db-r${i}`));
    const heard = new WireAgent(M, 'i-db-a', 2);
    const { table } = observer([watched(M), ...retired.map(({ member }) => watched(member))]);
    for (const agent of [...retired, heard]) agent.greet(table, 1_000);
    setKeys(table, [2]);
    live(table, [heard], 2_000, 20_000);
    expect(table.abstention).toBeNull();
    expect(table.hearing(at(20_000))).toEqual({ heardBefore: 1, hearsNow: 1 });
  });
});

describe('forged and unknown datagrams', () => {
  /**
   * Everything somebody without a key can send: right names, right challenge, any id, wrong tag;
   * and recordings.
   */
  const forgeries = (agent: WireAgent): Uint8Array[] => {
    const stranger = hmacOf(new Uint8Array(32).fill(99));
    const recorded = agent.beat();
    return [
      recorded,
      ...[1, 2, 3, 200].map((keyId) => {
        const forged = Uint8Array.from(recorded);
        forged[2] = keyId;
        forged.set(stranger(forged.subarray(0, 144)).subarray(0, 16), 144);
        return forged;
      }),
    ];
  };

  it('change neither the key an agent is known by nor any verdict, before and after a key is taken away', () => {
    const agent = new WireAgent(M, 'i-db-a');
    const { table } = observer([watched(M)]);
    agent.greet(table, 1_000);
    const [recorded = new Uint8Array(), ...forged] = forgeries(agent);
    expect(table.receive(recorded, FROM, at(1_500)).outcome).toBe('recorded');
    const attack = (nowMs: number) => {
      for (const bytes of [recorded, ...forged]) {
        const { outcome, ack } = table.receive(bytes, FROM, at(nowMs));
        expect(['forged', 'unknown-key', 'replayed']).toContain(outcome);
        expect(ack).toBeNull();
      }
    };
    const before = table.memberKeys();
    run(table, 1_750, 4_000, attack);
    expect(table.memberKeys()).toEqual(before);
    run(table, 4_250, 20_000, attack);
    // It fell silent under a key we hold: forgeries under another id buy it no abstention.
    expect(verdict(table)).toBe('dead ProbesFailed');
    expect(table.usersOf(1, at(20_000))).toEqual([M]);
    setKeys(table, [2]);
    run(table, 20_250, 30_000, attack);
    expect(verdict(table)).toBe('unknown KeyRetired');
    setKeys(table, [2, 3]);
    run(table, 30_250, 40_000, attack);
    expect(verdict(table)).toBe('unknown KeyRetired');
  });

  it('a heartbeat that does not echo the challenge does not count as speaking with its key', () => {
    const agent = new WireAgent(M, 'i-db-a', 2);
    const { table } = observer([watched(M)]);
    expect(table.receive(agent.beat(), FROM, at(1_000)).outcome).toBe('unconfirmed');
    expect(table.usersOf(2, at(1_000))).toEqual([]);
    expect(table.memberKeys()[0]).toMatchObject({ state: 'none', keyId: null });
  });
});

describe('who uses a key', () => {
  it('a replacement that is being verified, for a minute after its last heartbeat', () => {
    const { table } = observer([watched(M, { knownInstanceIds: ['i-new'] })]);
    const old = new WireAgent(M, 'i-db-a', 2);
    const replacement = new WireAgent(M, 'i-new', 1);
    old.greet(table, 1_000);
    replacement.greet(table, 2_000);
    expect(table.usersOf(1, at(61_000))).toEqual([M]);
    expect(table.usersOf(1, at(62_000))).toEqual([]);
    expect(table.usersOf(2, at(999_000))).toEqual([M]);
  });
});

describe('probes', () => {
  it('go out under the key the agent speaks with: it may not hold the newest one yet', () => {
    for (const keyId of [1, 2]) {
      const agent = new WireAgent(M, 'i-db-a', keyId);
      const { table } = observer([watched(M)]);
      agent.greet(table, 1_000);
      for (let nowMs = 1_250; nowMs <= 6_250; nowMs += 250) table.tick(at(nowMs));
      const [order] = table.planProbes(at(6_250));
      const payload = order?.payload ?? new Uint8Array();
      expect(decodeProbe(payload)?.keyId).toBe(keyId);
      expect(tagMatches(payload, agent.mac)).toBe(true);
    }
  });
});
