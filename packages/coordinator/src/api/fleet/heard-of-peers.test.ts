import type { HeardView } from '@understudy/shared';
import { SimClock } from '@understudy/shared/testing';
import { describe, expect, it } from 'vitest';
import { HeardOfPeers, type Peer } from './heard-of-peers.ts';

const C2: Peer = { coordinatorId: 'c2', httpUrl: 'http://c2' };
const MEMBERS = ['db/one', 'db/two'] as const;

const view = (over: Partial<HeardView> = {}): HeardView => ({
  ...{ coordinatorId: 'c2', abstains: null, order: 'o1', members: [...MEMBERS], ageDs: [4, -1], phiTenths: [2, -1] },
  ...over,
});

/** Answers are given by hand. */
function asking() {
  const clock = new SimClock();
  const asked: string[] = [];
  const waiting: { readonly resolve: (value: unknown) => void; readonly reject: (error: Error) => void }[] = [];
  const ask = (peer: Peer, path: string): Promise<unknown> => {
    asked.push(`${peer.coordinatorId} ${path}`);
    return new Promise((resolve, reject) => waiting.push({ resolve, reject }));
  };
  const answer = async (value: unknown): Promise<void> => {
    const next = waiting.shift();
    if (value instanceof Error) next?.reject(value);
    else next?.resolve(value);
    for (let turn = 0; turn < 5; turn++) await Promise.resolve();
  };
  return { clock, asked, answer, peers: new HeardOfPeers({ ask, clock }) };
}

describe('what others hear', () => {
  it('is asked of each once at a time, however often a round comes', async () => {
    const { peers, asked, answer } = asking();
    for (let round = 0; round < 5; round++) peers.round([C2]);
    expect(asked).toEqual(['c2 /v1/heard']);
    await answer(view());
    peers.round([C2]);
    expect(asked).toEqual(['c2 /v1/heard', 'c2 /v1/heard?order=o1']);
  });

  it('comes in the order of our members, whatever theirs is, and grows older', async () => {
    const { peers, clock, answer } = asking();
    peers.round([C2]);
    await answer(view({ members: ['db/two', 'db/one'], ageDs: [9, 4], phiTenths: [8, 1] }));
    await clock.advance(500);
    expect(peers.columns('c2', [...MEMBERS, 'db/new'])).toMatchObject({
      ageDs: [9, 14, -1],
      phiTenths: [1, 8, -1],
      answeredAgoMs: 500,
    });
  });

  it('is asked without names again, and with them once they changed', async () => {
    const { peers, answer } = asking();
    peers.round([C2]);
    await answer(view());
    peers.round([C2]);
    await answer(view({ members: null, ageDs: [7, 7] }));
    expect(peers.columns('c2', MEMBERS).ageDs).toEqual([7, 7]);
    peers.round([C2]);
    await answer(view({ members: null, order: 'o2', ageDs: [1, 1] }));
    expect(peers.columns('c2', MEMBERS).ageDs).toEqual([7, 7]);
  });

  it('is unknown while it has not answered, and says why it does not', async () => {
    const { peers, clock, answer } = asking();
    peers.round([C2]);
    expect(peers.columns('c2', MEMBERS)).toMatchObject({ ageDs: [-1, -1], answeredAgoMs: null, problem: null });
    await answer(new Error('connection refused'));
    expect(peers.columns('c2', MEMBERS).problem).toBe('connection refused');
    peers.round([C2]);
    await answer({ nonsense: true });
    expect(peers.columns('c2', MEMBERS).problem).toContain('coordinatorId');
    peers.round([C2]);
    await answer(view());
    expect(peers.columns('c2', MEMBERS).problem).toBeNull();
    await clock.advance(60_000);
    expect(peers.columns('c2', MEMBERS)).toMatchObject({ ageDs: [-1, -1], answeredAgoMs: 60_000 });
  });

  it('is forgotten with the coordinator, and when nobody looks', async () => {
    const { peers, answer } = asking();
    peers.round([C2]);
    await answer(view());
    peers.round([]);
    expect(peers.columns('c2', MEMBERS).answeredAgoMs).toBeNull();
  });
});
