import {
  type Chore,
  type Cloud,
  type CloudFilters,
  type HistoryRecord,
  type Leftover,
  OperationError,
  type Term,
} from '@understudy/shared';
import { historyRecord, RecordingLog } from '@understudy/shared/testing';
import { describe, expect, test } from 'vitest';
import { lookAtBooks } from './collect-sight.ts';
import { cloudError, cloudInstance, cloudVolume, MEMBER, NEW } from '../run.fixtures.ts';

const leftover = (kind: Leftover['kind'], id: string): Leftover => ({ kind, id, afterWallMs: 0, obstacle: null });
const owing = (chore: Chore) => ({ chore, obstacle: { code: 'c', text: 't', sinceWallMs: 0 } });
const TAGS: Chore = { kind: 'volume-tags', instanceId: NEW, deviceName: '/dev/sdf', tags: {} };
const RETIRE: Chore = { kind: 'retire-volume', instanceId: 'i-old', volumeId: 'vol-old', tags: {} };

/** What a look at one ended recovery asks and sees. */
async function look(over: Partial<HistoryRecord>, cloud: Partial<Cloud> = {}) {
  const asked: Record<string, readonly string[]> = {};
  const log = new RecordingLog();
  const describe = (filter: string) => async (filters: CloudFilters) => {
    asked[filter] = filters[filter] ?? [];
    return [];
  };
  const nothing = { describeInstances: describe('instance-id'), describeVolumes: describe('volume-id') };
  const term = { signal: new AbortController().signal } as unknown as Term;
  const entries = [{ key: 'k', record: historyRecord(MEMBER, 'i-old', over), modRevision: 1 }];
  const sight = await lookAtBooks({ ...nothing, ...cloud } as unknown as Cloud, term, entries, log);
  return { asked, sight, warnings: log.linesOf('collector.describe_failed').length };
}
const books = {
  leftovers: [
    leftover('instance', 'i-old'),
    leftover('volume', 'vol-1'),
    leftover('image', 'ami-1'),
    leftover('snapshot', 's-1'),
  ],
  owed: [owing(TAGS), owing(RETIRE)],
};

describe('a look at the books', () => {
  test('asks for every instance and volume on them, and for nothing else', async () => {
    const { asked } = await look(books);
    expect(asked['instance-id']).toEqual(['i-old', NEW]);
    expect(asked['volume-id']).toEqual(['vol-1', 'vol-old']);
  });

  test('asks for the volumes that chores are about, by what is seen of their instances', async () => {
    const volumes = [{ deviceName: '/dev/sdf', volumeId: 'vol-new' }] as never;
    const { asked, sight } = await look(books, { describeInstances: async () => [cloudInstance(NEW, { volumes })] });
    expect(asked['volume-id']).toEqual(['vol-1', 'vol-new', 'vol-old']);
    expect([...(sight.instances?.keys() ?? [])]).toEqual([NEW]);
  });

  test('asks nothing where there is nothing on them', async () => {
    const { asked, sight } = await look({});
    expect(asked).toEqual({});
    expect(sight).toEqual({ instances: new Map(), volumes: new Map() });
  });

  test('that EC2 does not answer says nothing of what is there, each by itself', async () => {
    const down = () => Promise.reject(cloudError('CLOUD_UNAVAILABLE'));
    const blind = await look(books, { describeInstances: down });
    expect([blind.sight.instances, blind.sight.volumes, blind.warnings]).toEqual([null, new Map(), 1]);
    const other = await look(books, { describeVolumes: down, describeInstances: async () => [cloudInstance('i-old')] });
    expect([other.sight.instances?.size, other.sight.volumes]).toEqual([1, null]);
    const both = await look(books, { describeVolumes: async () => [cloudVolume('vol-1')] });
    expect(both.sight.volumes?.get('vol-1')?.volumeId).toBe('vol-1');
  });

  test.each([
    ['the end of the term', new OperationError('LEASE_LOST', 'x')],
    ['a mistake of ours', new TypeError('ours')],
  ])('ends with %s', async (_name, error) => {
    await expect(look(books, { describeInstances: () => Promise.reject(error) })).rejects.toBe(error);
  });
});
