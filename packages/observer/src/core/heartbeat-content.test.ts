import { CHECK_STATUSES, type CheckReading, decodeProbe, HEARTBEAT_OFFSET, type MemberId } from '@understudy/shared';
import { describe, expect, it } from 'vitest';
import { at, FROM, observer, PASSING, watched, WireAgent } from './observe.fixtures.ts';

const M = 'db/a' as const;
const I = 'i-db-a';

function greeted() {
  const { table } = observer([watched(M)]);
  const agent = new WireAgent(M, I);
  agent.greet(table, 0);
  return { table, agent, reading: () => table.reading(M, I) };
}
const withStatus = (slot: number, status: CheckReading['status']): readonly CheckReading[] =>
  PASSING.map((check, at) => (at === slot ? { ...check, status } : check));

describe('what a heartbeat says of its checks', () => {
  it('a warning is no failure: the passing run goes on', () => {
    const { table, agent, reading } = greeted();
    agent.checks = withStatus(1, 'warn');
    agent.send(table, 1_000);
    expect(reading()).toMatchObject({ passingSinceMs: 0 });
    expect(reading()?.checks[1]).toMatchObject({ status: 'warn', failingSinceMs: null });
  });

  it('is kept for each agent', () => {
    const { table } = observer([watched(M), watched('db/b'), watched('db/c')]);
    const agents = [M, 'db/b', 'db/c'].map(
      (member) => new WireAgent(member as MemberId, `i-${member.replace('/', '-')}`),
    );
    for (const [i, agent] of agents.entries()) {
      agent.checks = PASSING.map((check) => ({ ...check, code: 10 + i }));
      agent.promise = { stopWithinSeconds: 100 + i, watchdog: false };
      agent.greet(table, 0);
    }
    const readings = agents.map(({ member, instanceId }) => table.reading(member, instanceId));
    expect(readings.map((one) => one?.checks[0]?.code)).toEqual([10, 11, 12]);
    expect(readings.map((one) => one?.servePromise?.stopWithinSeconds)).toEqual([100, 101, 102]);
    for (let beat = 0; beat < 8; beat++) agents[0]?.send(table, 1_000);
    expect(table.reading('db/b', 'i-db-b')).toEqual(readings[1]);
  });

  it('one that is not known ends it', () => {
    const { table, agent, reading } = greeted();
    agent.checks = withStatus(1, 'unknown');
    agent.send(table, 1_000);
    agent.checks = PASSING;
    agent.send(table, 2_000);
    expect(reading()?.passingSinceMs).toBe(2_000);
  });

  it('each with its code and age, to the last slot', () => {
    const { table, agent, reading } = greeted();
    agent.checks = Array.from({ length: 7 }, (_, slot) => ({
      status: 'pass',
      code: 20 + slot,
      ageSeconds: 300 + slot,
    }));
    agent.send(table, 1_000);
    expect(reading()?.checks).toEqual(agent.checks.map((check) => ({ ...check, failingSinceMs: null })));
    expect(reading()?.passingSinceMs).toBe(0);
  });

  it('a status that does not exist makes it malformed, in whichever slot it stands', () => {
    const { table, agent } = greeted();
    for (const slot of [0, 6]) {
      agent.checks = withStatus(slot, 'nonsense' as never);
      expect(agent.send(table, 1_000).outcome, `slot ${slot}`).toBe('malformed');
    }
  });

  it('a promise to stop is no check, whatever its bytes look like', () => {
    const { table, agent, reading } = greeted();
    agent.promise = { stopWithinSeconds: 0x303, watchdog: true };
    for (const first of [CHECK_STATUSES.indexOf('fail'), 255]) {
      const bytes = agent.beat();
      bytes[HEARTBEAT_OFFSET.servePromise] = first;
      bytes.set(agent.mac(bytes.subarray(0, HEARTBEAT_OFFSET.tag)).subarray(0, 16), HEARTBEAT_OFFSET.tag);
      expect(table.receive(bytes, FROM, at(1_000)).outcome).toBe('recorded');
      expect(reading()).toMatchObject({ passingSinceMs: 0, servePromise: agent.promise });
    }
  });
});

it('what is not exactly as it should be is malformed, although its tag is right', () => {
  const { table, agent } = greeted();
  const sealed = (at: number, value: number) => {
    const bytes = agent.beat();
    bytes[at] = value;
    bytes.set(agent.mac(bytes.subarray(0, HEARTBEAT_OFFSET.tag)).subarray(0, 16), HEARTBEAT_OFFSET.tag);
    return bytes;
  };
  const outcomeOf = (bytes: Uint8Array) => table.receive(bytes, FROM, at(1_000)).outcome;
  expect(outcomeOf(sealed(0, (agent.beat()[0] ?? 0) + 1))).toBe('malformed');
  expect(outcomeOf(Uint8Array.from([...agent.beat(), 0]))).toBe('malformed');
  expect(outcomeOf(sealed(HEARTBEAT_OFFSET.checks, CHECK_STATUSES.length))).toBe('malformed');
  expect(outcomeOf(sealed(HEARTBEAT_OFFSET.checks, CHECK_STATUSES.length - 1))).toBe('recorded');
});

it('a slow agent’s passing run is not broken by its own interval', () => {
  const { table, agent } = greeted();
  for (let ms = 10_000; ms <= 30_000; ms += 10_000) agent.send(table, ms);
  const { passingSinceMs } = table.reading(M, I) ?? {};
  for (let ms = 40_000; ms <= 80_000; ms += 10_000) agent.send(table, ms);
  expect(table.reading(M, I)?.passingSinceMs).toBe(passingSinceMs);
});

describe('what a heartbeat says of its agent', () => {
  it('whether it serves and whether it says goodbye, as of the newest', () => {
    const { table, agent, reading } = greeted();
    expect(reading()).toMatchObject({ serving: false, goodbye: false });
    agent.send(table, 1_000, { serving: true });
    expect(reading()).toMatchObject({ serving: true, goodbye: false });
    agent.send(table, 2_000, { goodbye: true });
    expect(reading()).toMatchObject({ serving: false, goodbye: true });
    agent.send(table, 3_000);
    expect(reading()).toMatchObject({ serving: false, goodbye: false });
  });

  it('its boot epoch, all 64 bits of it', () => {
    const { table, agent, reading } = greeted();
    agent.epoch = (3n << 32n) | 4n;
    agent.send(table, 1_000);
    expect(reading()?.bootEpoch).toBe((3n << 32n) | 4n);
    agent.epoch = 4n << 32n;
    expect(agent.send(table, 2_000).outcome).toBe('recorded');
    expect(reading()?.bootEpoch).toBe(4n << 32n);
  });

  it('of an agent that has never been heard, or a member nobody watches, there is no reading', () => {
    const { table } = greeted();
    expect(table.reading(M, 'i-other')).toBeNull();
    expect(table.reading('db/other', I)).toBeNull();
  });
});

describe('the usual interval', () => {
  /** Silent so long after the last heartbeat, at its usual interval: still counted as heard? */
  const heardAfter = (table: ReturnType<typeof greeted>['table'], ms: number) => table.hearing(at(ms)).hearsNow === 1;

  it('follows the last twenty or so: after fourteen at 8 s that follow many at 4 s, it is about 6 s', () => {
    const { table, agent } = greeted();
    let ms = 0;
    for (let beat = 0; beat < 30; beat++) agent.send(table, (ms += 4_000));
    expect([heardAfter(table, ms + 7_999), heardAfter(table, ms + 8_001)]).toEqual([true, false]);
    for (let beat = 0; beat < 14; beat++) agent.send(table, (ms += 8_000));
    expect([heardAfter(table, ms + 12_000), heardAfter(table, ms + 12_200)]).toEqual([true, false]);
  });

  it('is the average also where the network delivers two at a time', () => {
    const { table, agent } = greeted();
    let ms = 0;
    for (let pair = 0; pair < 60; pair++) {
      agent.send(table, (ms += 8_000));
      agent.send(table, ms);
    }
    expect([heardAfter(table, ms + 7_500), heardAfter(table, ms + 9_000)]).toEqual([true, false]);
  });

  it('is not counted backwards when datagrams overtake each other', () => {
    const { table, agent } = greeted();
    let ms = 0;
    for (let beat = 0; beat < 10; beat++) agent.send(table, (ms += 4_000));
    agent.send(table, ms - 3_000);
    expect([heardAfter(table, ms + 7_999), heardAfter(table, ms + 8_001)]).toEqual([true, false]);
  });

  it('φ: 0.3 after the usual interval, 0.8 one deviation later; one late heartbeat among regular ones makes that 218 ms', () => {
    const { table, agent } = greeted();
    let ms = 0;
    for (let beat = 0; beat < 10; beat++) agent.send(table, (ms += 1_000));
    agent.send(table, (ms += 2_000));
    const phi = (silentMs: number) => table.reading(M, I, at(ms + silentMs))?.phi;
    expect(phi(1_050)).toBeCloseTo(0.301, 2);
    expect(phi(1_050 + 218)).toBeCloseTo(0.8, 2);
    expect(table.reading(M, I)?.phi).toBeCloseTo(0, 1);
  });
});

it('probes carry the challenge of the very agent they go to, whatever it is', () => {
  const members = Array.from({ length: 40 }, (_, i) => `db/m${i}` as MemberId);
  const { table } = observer(
    members.map((member) => watched(member)),
    { hearsMinimum: 1_000 },
  );
  const agents = members.map((member) => new WireAgent(member, `i-${member.replace('/', '-')}`));
  for (const agent of agents) agent.greet(table, 0);
  for (let ms = 250; ms <= 5_000; ms += 250) table.tick(at(ms));
  const asked = table.planProbes(at(5_000)).map(({ payload }) => decodeProbe(payload)?.challenge);
  expect(asked).toEqual(agents.map(({ challenge }) => challenge));
});

it('challenges are of one agent and one instance, by the whole of its hash; also the first one made, and that of a contest', () => {
  const made = (member: MemberId, instanceHash: string) => {
    const { table } = observer([watched('db/first'), watched(member)]);
    const agent = Object.assign(new WireAgent(member, I), { instanceHash, epoch: 2n });
    const hear = () => agent.hear(table.receive(agent.beat(), FROM, at(0)).ack ?? new Uint8Array()).challenge;
    const own = hear();
    agent.epoch = 1n;
    return [own, hear()];
  };
  const hashes = ['0000000100000001', '0000000200000001', '0000000100000002'];
  const challenges = [...hashes.flatMap((hash) => made(M, hash)), ...made('db/b', '0000000100000001')];
  expect(new Set(challenges).size).toBe(8);
  expect(made(M, '0000000100000001')).toEqual(challenges.slice(0, 2));
});
