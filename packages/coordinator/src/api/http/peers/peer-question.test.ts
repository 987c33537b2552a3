import { SystemClock, SystemRandom } from '@understudy/shared/node';
import type { HeardView } from '@understudy/shared';
import { afterEach, describe, expect, it } from 'vitest';
import { ClusterKeys } from '../cluster-keys.ts';
import { closeServers, serveApi } from '../http.fixtures.ts';
import { peerQuestion } from './peer-question.ts';

afterEach(closeServers);

const SECRET = new Map([[1, new Uint8Array(32).fill(3)]]);

const asking = (masters = SECRET) =>
  peerQuestion({
    ...{ coordinatorId: 'c2', keys: new ClusterKeys(masters), clock: new SystemClock(), random: new SystemRandom() },
    peerCa: () => null,
  });

const heard = { coordinatorId: 'c1' } as HeardView;
const serving = () =>
  serveApi({
    keys: new ClusterKeys(SECRET),
    access: { anonymous: 'none' },
    api: { fleet: { fleet: () => never(), heard: () => heard, watch: () => never() } },
  });
const never = (): never => {
  throw new Error('not asked here');
};

describe('a question of one coordinator to another', () => {
  it('is answered although strangers may not read', async () => {
    const { url } = await serving();
    expect((await fetch(`${url}/v1/heard`)).status).toBe(401);
    const ask = asking();
    expect(await ask({ coordinatorId: 'c1', httpUrl: url }, '/v1/heard')).toEqual(heard);
    expect(await ask({ coordinatorId: 'c1', httpUrl: url }, '/v1/heard?order=x')).toEqual(heard);
  });

  it('commands nothing', async () => {
    const { url } = await serving();
    await expect(asking()({ coordinatorId: 'c1', httpUrl: url }, '/v1/nothing')).rejects.toThrow('404');
  });

  it('is not believed by whom has another secret, and believes nobody else', async () => {
    const { url } = await serving();
    const stranger = asking(new Map([[1, new Uint8Array(32).fill(4)]]));
    await expect(stranger({ coordinatorId: 'c1', httpUrl: url }, '/v1/heard')).rejects.toThrow('does not sign as c1');
    await expect(asking()({ coordinatorId: 'c3', httpUrl: url }, '/v1/heard')).rejects.toThrow('does not sign as c3');
  });
});
