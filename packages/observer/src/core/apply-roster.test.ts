import { instanceHashOf, type MemberId, ServiceProbeSchema } from '@understudy/shared';
import { describe, expect, it } from 'vitest';
import { ANSWER, at, FROM, MASTER, observer, run, watched, WireAgent } from './observe.fixtures.ts';
import { NONE } from './columns.ts';
import { Keyring } from './tag-verifier/keyring.ts';
import { ObserverState } from './observer-state.ts';
import { HMAC_TAGS } from './tag-verifier/hmac-midstate.ts';
import { ObserverTable } from './observer-table.ts';
import { applyRoster } from './apply-roster.ts';
import { DEFAULT_OBSERVER_SETTINGS } from './types.ts';

const M = 'db/a' as const;
const I = 'i-db-a';
const said = (table: ObserverTable, member: MemberId = M): string => {
  const { verdict, reason, sinceMs, instanceId } = table.opinion(member) ?? {};
  return `${verdict} ${reason} ${sinceMs} ${instanceId}`;
};
const heard = () => {
  const { table } = observer([watched(M)]);
  const agent = new WireAgent(M, I);
  agent.greet(table, 0);
  return { table, agent };
};

describe('an activation that changes', () => {
  it('to an instance that was heard: it is judged by the next tick, with nothing of its predecessor’s verdict', () => {
    const { table } = heard();
    new WireAgent(M, 'i-new').greet(table, 8_500);
    run(table, 250, 9_000);
    expect(said(table)).toBe(`dead ProbesFailed 8000 ${I}`);
    table.setRoster([watched(M, { activatedInstanceId: 'i-new' })], at(9_100));
    expect(said(table)).toBe('unknown NeverHeard 9100 i-new');
    table.tick(at(9_250));
    expect(said(table)).toBe('alive Heard 9250 i-new');
    run(table, 9_500, 13_750);
    expect(said(table)).toBe('suspect Silent 13500 i-new');
  });

  it('to one that is silent already: it is suspected like any other, and not dead by its predecessor’s death', () => {
    const { table } = heard();
    new WireAgent(M, 'i-new').greet(table, 1_000);
    run(table, 250, 9_000);
    table.setRoster([watched(M, { activatedInstanceId: 'i-new' })], at(9_100));
    run(table, 9_250, 12_000);
    expect(said(table)).toBe('suspect Silent 9250 i-new');
    run(table, 12_250, 12_250);
    expect(said(table)).toBe('dead ProbesFailed 12250 i-new');
  });

  it('to one that was never heard: it is never missed', () => {
    const { table } = heard();
    table.setRoster([watched(M, { activatedInstanceId: 'i-new' })], at(1_000));
    run(table, 1_250, 60_000);
    expect(said(table)).toBe('unknown NeverHeard 1000 i-new');
  });

  it('to none: whoever speaks is nobody’s life', () => {
    const { table, agent } = heard();
    table.setRoster([watched(M, { activatedInstanceId: null })], at(1_000));
    agent.send(table, 2_000);
    run(table, 2_250, 60_000);
    expect(said(table)).toBe('unknown NotActivated 1000 null');
    expect(table.reading(M, I)?.lastHeardAtMs).toBe(2_000);
  });

  it('to none, of one that is first heard then: it is nobody’s life either', () => {
    const { table } = observer([watched(M)]);
    table.setRoster([watched(M, { activatedInstanceId: null })], at(1_000));
    new WireAgent(M, I).greet(table, 2_000);
    expect(said(table)).toBe('unknown NotActivated 0 null');
  });

  it('back to the first one: what was heard of it meanwhile counts', () => {
    const { table, agent } = heard();
    table.setRoster([watched(M, { activatedInstanceId: 'i-new' })], at(1_000));
    agent.send(table, 2_000);
    table.setRoster([watched(M)], at(3_000));
    table.tick(at(3_250));
    expect(table.opinion(M)).toMatchObject({ verdict: 'alive', lastHeardMs: 2_000 });
  });

  it('is a change that is told even where the verdict stays', () => {
    const { table } = observer([watched(M)]);
    table.takeChanges();
    table.setRoster([watched(M, { activatedInstanceId: 'i-new' })], at(1_000));
    expect(table.takeChanges().map(({ instanceId }) => instanceId)).toEqual(['i-new']);
  });
});

it('a member for which nobody is activated is told to be so from the first moment', () => {
  const { table } = observer([watched(M, { activatedInstanceId: null })]);
  expect(said(table)).toBe('unknown NotActivated 0 null');
  expect(table.takeChanges().map(({ reason }) => reason)).toEqual(['NotActivated']);
});

describe('a roster that says the same again', () => {
  it('changes nothing: neither what was heard, nor since when, nor what was told', () => {
    const { table } = heard();
    run(table, 250, 6_000);
    table.takeChanges();
    table.setRoster([watched(M)], at(6_100));
    expect(said(table)).toBe(`suspect Silent 5000 ${I}`);
    expect(table.takeChanges()).toEqual([]);
    run(table, 6_250, 8_000);
    expect(table.opinion(M)?.verdict).toBe('dead');
  });

  it('twice in a row without a member forgets it once, and another one in its place is new', () => {
    const { table } = heard();
    for (const ms of [1_000, 1_100]) table.setRoster([], at(ms));
    expect([table.watchedCount, table.opinion(M), table.reading(M, I)]).toEqual([0, null, null]);
    table.setRoster([watched('db/z', { activatedInstanceId: I })], at(1_200));
    expect(said(table, 'db/z')).toBe(`unknown NeverHeard 1200 ${I}`);
    expect(table.watchedCount).toBe(1);
  });
});

describe('a member that is gone', () => {
  const PROBE = ServiceProbeSchema.parse({ kind: 'tcp', port: 5_432 });
  const ROOM = { confirm: 9, watch: 9 };

  it('is not probed any more, whether it was heard or suspected', () => {
    for (const untilMs of [4_750, 6_000]) {
      const { table } = observer([watched(M, { serviceProbes: [PROBE] })]);
      new WireAgent(M, I).greet(table, 0);
      for (let ms = 250; ms <= untilMs; ms += 250) table.tick(at(ms));
      table.setRoster([], at(untilMs));
      expect([table.planProbes(at(7_000)), table.planServiceProbes(at(7_000), ROOM)]).toEqual([[], []]);
    }
  });

  it('gives back its rows: whoever comes and goes needs no more of them', () => {
    const state = new ObserverState(DEFAULT_OBSERVER_SETTINGS);
    const keyring = new Keyring([1], () => MASTER);
    for (let round = 0; round < 20; round++) {
      applyRoster(state, keyring, [watched(M)], 0);
      const slot = state.slots.get(M) ?? NONE;
      for (let i = 0; i < 3; i++) state.addEntry(slot, i, i, `${i}`);
      applyRoster(state, keyring, [], 0);
    }
    expect([state.members.count, state.entries.count]).toEqual([1, 3]);
  });
});

it('without service probes, or without an activation, nothing is thought of services', () => {
  const serviceProbes = [ServiceProbeSchema.parse({ kind: 'tcp', port: 5_432 })];
  const { table } = observer([watched(M), watched('db/b', { serviceProbes, activatedInstanceId: null })]);
  new WireAgent(M, I).greet(table, 0);
  run(table, 250, 3_000);
  expect(table.opinions().map(({ service }) => service)).toEqual([null, null]);
});

describe('what changed', () => {
  it('is told once, however often it changed meanwhile, as it is now', () => {
    const { table, agent } = heard();
    run(table, 250, 9_000);
    agent.send(table, 9_100);
    expect(table.takeChanges().map(({ verdict }) => verdict)).toEqual(['alive']);
    expect(table.takeChanges()).toEqual([]);
  });

  it('is the reason too; since when is that of the verdict', () => {
    const { table, agent } = heard();
    agent.send(table, 100, { goodbye: true });
    run(table, 250, 6_000);
    expect(said(table)).toBe(`suspect Goodbye 5250 ${I}`);
    table.takeChanges();
    table.noteReceiveLoss(at(6_100));
    expect(said(table)).toBe(`unknown ReceiveLoss 6100 ${I}`);
    table.tick(at(6_900));
    table.tick(at(8_300));
    expect(said(table)).toBe(`unknown OwnStall 6100 ${I}`);
    expect(table.takeChanges()).toHaveLength(1);
  });
});

describe('instances of one member', () => {
  const strangers = (...names: readonly string[]) => names.map((name) => new WireAgent(M, name));
  /** Introduces itself and is told a challenge, which it does not answer yet. */
  const introduce = (table: ObserverTable, agent: WireAgent, ms: number) => {
    const { ack } = table.receive(agent.beat(), FROM, at(ms));
    if (ack) agent.hear(ack);
  };

  it('are five at most; of strangers that never answered the first one makes room', () => {
    const { table, agent } = heard();
    const agents = strangers('i-1', 'i-2', 'i-3', 'i-4', 'i-5');
    for (const [i, one] of agents.entries()) introduce(table, one, 100 + i);
    expect(agents.toReversed().map((one) => table.receive(one.beat(), FROM, at(1_000)).outcome)).toEqual([
      'recorded',
      'recorded',
      'recorded',
      'recorded',
      'unconfirmed',
    ]);
    expect(agent.send(table, 1_100).outcome).toBe('recorded');
  });

  it('who answered goes after those who did not, the one heard longest ago first, and who is known last', () => {
    const { table } = observer([watched(M, { knownInstanceIds: ['i-known'] })]);
    for (const [i, one] of strangers(I, 'i-known', 'i-early', 'i-late').entries()) one.greet(table, 100 + i);
    const [quiet] = strangers('i-quiet');
    if (quiet) introduce(table, quiet, 200);
    const kept = () => ['i-known', 'i-early', 'i-late'].filter((id) => table.reading(M, id) !== null);
    const come = (id: string) => new WireAgent(M, id).greet(table, 300);
    come('i-6');
    expect(kept()).toEqual(['i-known', 'i-early', 'i-late']);
    come('i-7');
    expect(kept()).toEqual(['i-known', 'i-late']);
    come('i-8');
    expect(kept()).toEqual(['i-known']);
    for (let i = 9; i < 20; i++) come(`i-${i}`);
    expect(kept()).toEqual(['i-known']);
    expect(table.reading(M, I)).not.toBeNull();
  });

  it('of those who are known, too, the one heard longest ago goes first', () => {
    const knownInstanceIds = ['i-1', 'i-2', 'i-3', 'i-4'];
    const { table } = observer([watched(M, { knownInstanceIds })]);
    for (const [i, one] of strangers(I, 'i-2', 'i-1', 'i-3', 'i-4').entries()) one.greet(table, 100 + i);
    new WireAgent(M, 'i-5').greet(table, 300);
    expect(knownInstanceIds.filter((id) => table.reading(M, id) === null)).toEqual(['i-2']);
  });

  it('who was heard at the very first moment is worth more than who never was', () => {
    const { table } = observer([watched(M, { activatedInstanceId: null })]);
    const [quiet, ...heardAtZero] = strangers('i-0', 'i-1', 'i-2', 'i-3', 'i-4');
    for (const one of heardAtZero) one.greet(table, 0);
    if (quiet) introduce(table, quiet, 100);
    new WireAgent(M, 'i-5').greet(table, 300);
    expect(['i-1', 'i-2', 'i-3', 'i-4', 'i-5'].filter((id) => table.reading(M, id) === null)).toEqual([]);
  });

  it('who is no longer known goes as any other', () => {
    const { table } = observer([watched(M, { knownInstanceIds: ['i-known'] })]);
    for (const [i, one] of strangers(I, 'i-known', 'i-2', 'i-3', 'i-4').entries()) one.greet(table, 100 + i);
    table.setRoster([watched(M)], at(200));
    new WireAgent(M, 'i-5').greet(table, 300);
    expect(table.reading(M, 'i-known')).toBeNull();
    expect(['i-2', 'i-3', 'i-4', 'i-5'].filter((id) => table.reading(M, id) === null)).toEqual([]);
  });

  it('with nobody activated may all make room', () => {
    const { table } = observer([watched(M, { activatedInstanceId: null })]);
    for (let i = 0; i < 8; i++) new WireAgent(M, `i-${i}`).greet(table, 100 + i);
    expect(Array.from({ length: 8 }, (_, i) => table.reading(M, `i-${i}`) !== null)).toEqual([
      ...Array(3).fill(false),
      ...Array(5).fill(true),
    ]);
  });

  it('are told apart by their whole hash: half of it makes nobody the activated one', () => {
    const hash = instanceHashOf(I);
    const zero = '00000000';
    const { table } = observer([watched(M)]);
    const alike = [`${hash.slice(0, 8)}${zero}`, `${zero}${hash.slice(8)}`].map((instanceHash) =>
      Object.assign(new WireAgent(M, I), { instanceHash }),
    );
    for (const one of alike) one.greet(table, 100);
    expect(said(table)).toBe(`unknown NeverHeard 0 ${I}`);
    const agent = new WireAgent(M, I);
    agent.greet(table, 200);
    expect(table.opinion(M)).toMatchObject({ verdict: 'alive', lastHeardMs: 200 });
    for (const one of alike) expect(one.send(table, 300).outcome).toBe('recorded');
    expect(table.opinion(M)?.lastHeardMs).toBe(200);
    expect(agent.send(table, 400).outcome).toBe('recorded');
  });

  it('the activated one stays, also where only one is remembered', () => {
    const { table } = observer([watched(M)], { maxInstancesPerMember: 1 });
    new WireAgent(M, I).greet(table, 100);
    for (const id of ['i-1', 'i-2']) new WireAgent(M, id).greet(table, 200);
    expect([I, 'i-1', 'i-2'].filter((id) => table.reading(M, id) !== null)).toEqual([I, 'i-2']);
  });

  it('who comes and goes uses the same rows again', () => {
    const state = new ObserverState({ ...DEFAULT_OBSERVER_SETTINGS, maxInstancesPerMember: 3 });
    const slot = state.members.take();
    state.members.firstEntry[slot] = NONE;
    state.members.activeEntry[slot] = NONE;
    for (let i = 0; i < 50; i++) state.addEntry(slot, i, i, `${i}`);
    expect(state.entries.count).toBe(3);
  });

  it('whoever gets the row of one that two agents spoke for is not called two', () => {
    const { table } = observer([watched(M, { activatedInstanceId: null })], { maxInstancesPerMember: 1 });
    const [older, newer] = strangers('i-1', 'i-1');
    if (!older || !newer) throw new Error('want two');
    older.greet(table, 0);
    newer.epoch = 2n;
    newer.greet(table, 100);
    for (const ms of [200, 1_300]) {
      older.send(table, ms);
      newer.send(table, ms);
    }
    const contested = (one: WireAgent, ms: number) => {
      const { ack } = one.send(table, ms, { ackRequested: true });
      return ack && one.hear(ack).contested;
    };
    expect(contested(newer, 2_500)).toBe(true);
    const other = new WireAgent(M, 'i-2');
    other.greet(table, 3_000);
    expect(contested(other, 4_000)).toBe(false);
  });

  it('one that was not heard has no moment it was heard at', () => {
    const { table } = observer([watched(M)]);
    const agent = new WireAgent(M, I);
    expect(table.opinion(M)?.lastHeardMs).toBeNull();
    introduce(table, agent, 100);
    expect(table.opinion(M)?.lastHeardMs).toBeNull();
    agent.send(table, 200);
    expect(table.opinion(M)?.lastHeardMs).toBe(200);
  });
});

describe('an observer', () => {
  const options = (change: object = {}) => ({
    coordinatorId: 'c1',
    startedAtMs: at(0),
    nonce: new Uint8Array(16),
    keyIds: [1],
    keyOf: () => MASTER,
    activations: { answer: () => ANSWER },
    ...change,
  });

  it('wants sixteen bytes that nobody can foresee, or its challenges could be', () => {
    expect(() => new ObserverTable(options({ nonce: new Uint8Array(15) }))).toThrow(RangeError);
    expect(new ObserverTable(options()).keyIds).toEqual([1]);
  });

  it('checks real tags four at once, and those of a simulator one by one', () => {
    expect(new ObserverTable(options()).ingest.verifier.batchSize).toBe(4);
    expect(new ObserverTable(options({ tags: HMAC_TAGS })).ingest.verifier.batchSize).toBe(1);
  });

  it('says whether it abstains, and whom it knows under which key', () => {
    const { table } = observer([watched(M), watched('db/b', { activatedInstanceId: null })], { warmUpMs: 500 });
    new WireAgent(M, I, 2).greet(table, 100);
    expect(table.abstains()).toBe(true);
    table.tick(at(500));
    expect(table.abstains()).toBe(false);
    expect(table.memberKeys()).toEqual([
      { member: M, instanceId: I, state: 'heard', keyId: 2, lastHeardMs: 100 },
      { member: 'db/b', instanceId: null, state: 'none', keyId: null, lastHeardMs: null },
    ]);
  });

  it('says who is claimed to speak and is not believed', () => {
    const { table } = observer([watched(M)]);
    expect(table.refused(M, at(0))).toBeNull();
    new WireAgent(M, I, 3).send(table, 100);
    expect(table.refused(M, at(200))).toMatchObject({ kind: 'unknown-key', count: 1, from: FROM.address });
    const forged = new WireAgent(M, I).beat();
    forged[100] = (forged[100] ?? 0) ^ 1;
    table.receive(forged, FROM, at(300));
    expect(table.refused(M, at(300))).toMatchObject({ kind: 'forged', count: 1, from: FROM.address });
  });

  it('names those who use a key in order, each once, whichever of its instances does', () => {
    const { table } = observer([watched('db/b'), watched(M)]);
    for (const member of ['db/b', M] as const) {
      new WireAgent(member, `i-${member.replace('/', '-')}`).greet(table, 0);
      new WireAgent(member, 'i-new').greet(table, 0);
      new WireAgent(member, 'i-newer', 2).greet(table, 0);
    }
    expect(table.usersOf(1, at(59_999))).toEqual([M, 'db/b']);
    expect([table.usersOf(2, at(59_999)), table.usersOf(2, at(60_000))]).toEqual([[M, 'db/b'], []]);
  });
});
