import { SqlHistory, SqliteSql } from '@understudy/inventory';
import { crawlOf, instanceRow } from '@understudy/inventory/testing';
import { type HandBackView, type HistoryRecord, ProblemDetailsSchema } from '@understudy/shared';
import { afterEach, describe, expect, it } from 'vitest';
import type { HandBackAnswer, HandBackAsked } from '../../../leader/hand-back-look.ts';
import type { ApiSource } from '../api-source.ts';
import { closeServers, serveApi } from '../http.fixtures.ts';

afterEach(closeServers);

const id = (number: number) => `i-${number.toString(16).padStart(17, '0')}`;
const VIEW: HandBackView = {
  ...{ member: 'db/one', recoveries: [], earlier: [], seenIn: 'ec2', isDue: false },
  ...{ resources: [], drift: [], lostTags: {}, notes: [] },
};
const ended = (opId: string, was: number, is: number, endedAtWallMs: number) =>
  ({
    ...{ opId, outcome: 'replaced', oldInstanceId: id(was), newInstanceId: id(is) },
    ...{ startedAtWallMs: endedAtWallMs - 50, endedAtWallMs },
  }) as HistoryRecord;

async function served(inventory: ApiSource['inventory'], answer: HandBackAnswer = { kind: 'hand-back', view: VIEW }) {
  const asked: HandBackAsked[] = [];
  const handBack = (one: HandBackAsked) => {
    asked.push(one);
    return Promise.resolve(answer);
  };
  const history = () => [ended('r2', 2, 3, 300), ended('r1', 1, 2, 200)];
  const controls = { handBack } as unknown as ApiSource['controls'];
  const { url } = await serveApi({ api: { inventory, controls, history, leader: () => 'self' } });
  const get = async (query: string) => {
    const reply = await fetch(`${url}/v1/members/db/one/handback${query}`);
    return { status: reply.status, body: await reply.json() };
  };
  return { get, asked };
}

describe('GET /v1/members/:group/:name/handback', () => {
  it('is about the last recovery, or about all from one on, with what the inventory saw before', async () => {
    const inventory = await SqlHistory.over(SqliteSql.open(':memory:'));
    await crawlOf(inventory, 100, [instanceRow(id(1), { ImageId: 'ami-1' })]);
    const { get, asked } = await served(inventory);
    expect(await get('')).toEqual({ status: 200, body: VIEW });
    expect(await get('?since=r1')).toMatchObject({ status: 200 });
    expect(asked.map(({ taken, earlier }) => [taken, earlier].map((all) => all.map(({ opId }) => opId)))).toEqual([
      [['r2'], ['r1']],
      [['r1', 'r2'], []],
    ]);
    expect(asked.map(({ before }) => before?.raw.ImageId ?? null)).toEqual([null, 'ami-1']);
  });

  it('does without an inventory, and with one that does not answer', async () => {
    const silent = await SqlHistory.over(SqliteSql.open(':memory:'));
    for (const inventory of [null, silent]) {
      const { get, asked } = await served(inventory);
      expect(await get('')).toMatchObject({ status: 200 });
      expect(asked).toMatchObject([{ member: 'db/one', before: null }]);
    }
  });

  it('refuses a recovery that is not known, and says what the leader refuses', async () => {
    const { get } = await served(null, { kind: 'refused', code: 'UNAVAILABLE', text: 'ask again' });
    const code = async (query: string) => ProblemDetailsSchema.parse((await get(query)).body).code;
    expect([await code('?since=r9'), await code('')]).toEqual(['RECOVERY_UNKNOWN', 'UNAVAILABLE']);
  });
});
