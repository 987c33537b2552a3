import { type FleetDelta, type FleetView, type HeardView, keyspace, type MemberId } from '@understudy/shared';
import { activationRecord, entryOf, intentRecord, memberRecord, SimClock, WRITTEN } from '@understudy/shared/testing';
import { describe, expect, it } from 'vitest';
import { ClusterRecords } from '../../store/cluster-records.ts';
import type { ActivePause } from '../../policy/pauses.ts';
import { FleetApi, type FleetApiOptions } from './fleet-api.ts';
import type { FeedEvent } from './fleet-feed.ts';
import type { Peer } from './heard-of-peers.ts';

const keys = keyspace('/t/v1/');
const coordinatorRecord = (coordinatorId: string) => ({
  ...WRITTEN,
  ...{
    coordinatorId,
    az: `zone-${coordinatorId}`,
    udpEndpoint: '10.0.0.1:7946',
    httpUrl: `http://${coordinatorId}:8080`,
  },
  ...{ startedAtWallMs: 1, version: '1', processId: 'p', answersHoldMs: 20_000, featureLevel: 1 },
});

const STANDING = { standing: 'current', by: 'c2', term: 7, ageMs: 0 } as const;

/** A coordinator c1 with what a test puts into etcd; c2 leads, and answers. */
function coordinator(members: readonly MemberId[] = ['db/two', 'db/one']) {
  const clock = new SimClock();
  const records = new ClusterRecords(keys.root);
  const listeners = new Set<(changed: readonly string[]) => void>();
  const verdicts = new Map<MemberId, string>();
  const state = { revision: 1, pauses: [] as ActivePause[], asked: [] as string[] };
  const put = (key: string, record: Parameters<typeof entryOf>[1]): void => {
    records.put(entryOf(key, record, state.revision++));
    for (const listener of listeners) listener([key]);
  };
  for (const id of ['c2', 'c1']) put(keys.coordinator(id), coordinatorRecord(id));
  const enrol = (member: MemberId): void => {
    put(keys.member(member), memberRecord(member));
    put(keys.activation(member), activationRecord(member, 'i-1'));
  };
  for (const member of members) enrol(member);
  const heardOf = (all: readonly MemberId[]) => ({ ageDs: all.map((_, index) => index), phiTenths: all.map(() => 1) });
  const askPeer = async (peer: Peer, path: string): Promise<HeardView> => {
    state.asked.push(`${peer.coordinatorId} ${path}`);
    const sorted = [...records.members.keys()].sort();
    const ages = { ageDs: sorted.map(() => 7), phiTenths: sorted.map(() => 3) };
    return { coordinatorId: peer.coordinatorId, abstains: 'WarmingUp', order: 'theirs', members: sorted, ...ages };
  };
  const view = {
    records,
    onChange: (listener: (changed: readonly string[]) => void) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    pausesInForce: () => state.pauses,
    contactAgeMs: () => 12.4,
    isFresh: () => true,
  };
  const api = new FleetApi({
    ...{ coordinatorId: 'c1', az: 'zone-c1', clock, view, askPeer },
    observer: { heardColumns: heardOf, abstention: null },
    verdicts: {
      leader: () => ({ coordinatorId: 'c2' }),
      standing: () => STANDING,
      of: (member: MemberId) => ({
        ...{ verdict: verdicts.get(member) ?? 'alive', reasonCode: 'x', reason: 'y', degraded: false },
        judged: { ...STANDING, sinceWallMs: 1 },
      }),
    },
    hold: () => null,
    status: () => ({}),
  } as unknown as FleetApiOptions);
  const watch = () => {
    const told: FeedEvent[] = [];
    return { told, leave: api.watch((event) => told.push(event)) };
  };
  return { api, clock, state, put, enrol, verdicts, watch, listeners };
}

const fleets = (told: readonly FeedEvent[]): FleetView[] =>
  told.filter(({ event }) => event === 'fleet').map(({ text }) => JSON.parse(text) as FleetView);
const deltas = (told: readonly FeedEvent[]): FleetDelta[] =>
  told.filter(({ event }) => event === 'delta').map(({ text }) => JSON.parse(text) as FleetDelta);

describe('the fleet', () => {
  it('has members in order, and a column for each coordinator, the leader marked', () => {
    const { api } = coordinator();
    const view = api.fleet();
    expect(view.members.map(({ member }) => member)).toEqual(['db/one', 'db/two']);
    expect(view.observers).toMatchObject([
      { coordinatorId: 'c1', az: 'zone-c1', self: true, leader: false, answeredAgoMs: 0 },
      { coordinatorId: 'c2', az: 'zone-c2', self: false, leader: true, answeredAgoMs: null },
    ]);
    expect(view.heard.ageDs).toEqual([
      [0, 1],
      [-1, -1],
    ]);
    expect(view.store).toEqual({ fresh: true, lastContactAgoMs: 12 });
  });

  it('asks others only while somebody watches, and then shows what they hear', async () => {
    const { api, clock, state, watch } = coordinator();
    api.fleet();
    await clock.advance(10_000);
    expect(state.asked).toEqual([]);
    const { told, leave } = watch();
    await clock.advance(1_000);
    expect(state.asked[0]).toBe('c2 /v1/heard');
    expect(deltas(told).at(-1)?.heard.ageDs[1]).toEqual(expect.arrayContaining([expect.any(Number)]));
    expect(deltas(told).at(-1)?.heard.ageDs[1]?.[0]).toBeGreaterThanOrEqual(7);
    expect(deltas(told).at(-1)?.observers[1]).toMatchObject({ abstains: 'WarmingUp', problem: null });
    leave();
    const asked = state.asked.length;
    await clock.advance(60_000);
    expect(state.asked).toHaveLength(asked);
  });

  it('tells of a member whose record changed, and of no other', async () => {
    const { clock, put, watch } = coordinator();
    const { told } = watch();
    await clock.advance(1_000);
    put(keys.intent('db/two'), intentRecord('db/two', 'i-1', { opId: 'op-7' }));
    await clock.advance(1_000);
    expect(
      deltas(told)
        .at(-1)
        ?.changed.map(({ index, member }) => [index, member.recovery]),
    ).toEqual([[1, 'op-7']]);
    await clock.advance(1_000);
    expect(deltas(told).at(-1)?.changed).toEqual([]);
  });

  it('tells of everybody whom a pause concerns', async () => {
    const { clock, state, listeners, watch } = coordinator();
    const { told } = watch();
    state.pauses = [{ scope: 'group/db', who: 'ann', why: 'work', untilWallMs: null }];
    for (const listener of listeners) listener([keys.pause('group/db')]);
    await clock.advance(1_000);
    expect(
      deltas(told)
        .at(-1)
        ?.changed.map(({ member }) => member.paused),
    ).toEqual(['group/db', 'group/db']);
  });

  it('tells everything again when a member comes', async () => {
    const { clock, enrol, watch } = coordinator();
    const { told } = watch();
    enrol('db/a');
    await clock.advance(1_000);
    expect(
      fleets(told)
        .at(-1)
        ?.members.map(({ member }) => member),
    ).toEqual(['db/a', 'db/one', 'db/two']);
    expect(fleets(told)).toHaveLength(2);
  });

  it('listens to etcd only while somebody watches', () => {
    const { listeners, watch } = coordinator();
    expect(listeners.size).toBe(0);
    const { leave } = watch();
    expect(listeners.size).toBe(1);
    leave();
    expect(listeners.size).toBe(0);
  });
});

describe('what is heard here', () => {
  it('comes with names, and without to whom knows their order', () => {
    const { api, enrol } = coordinator();
    const first = api.heard(null);
    expect(first.members).toEqual(['db/one', 'db/two']);
    expect(api.heard(first.order)).toMatchObject({ members: null, order: first.order, ageDs: [0, 1] });
    enrol('db/three');
    expect(api.heard(first.order).members).toEqual(['db/one', 'db/three', 'db/two']);
  });
});
