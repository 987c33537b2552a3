import { describe, expect, it } from 'vitest';
import { forensicRecord } from './forensic-record.ts';
import { SqlHistory } from './store/sql-history.ts';
import { SqliteSql } from './store/sqlite/sqlite-sql.ts';
import { crawlOf, instanceRow } from './testing/crawls.ts';

const OLD = 'i-00000000000000001';
const NEW = 'i-00000000000000002';
const ROOT = 'vol-00000000000000001';
const LOGS = 'vol-00000000000000002';
const COPY = 'vol-00000000000000003';
const GROUP = 'sg-00000000000000001';
const ADDRESS = 'eipalloc-00000000000000001';

const disk = (name: string, id: string) => ({ DeviceName: name, Ebs: { VolumeId: id } });
const volume = (id: string, instanceId: string | null) => ({
  VolumeId: id,
  ...(instanceId !== null && { Attachments: [{ InstanceId: instanceId, VolumeId: id }] }),
});
const built = (id: string, root: string, over: object = {}) =>
  instanceRow(id, { BlockDeviceMappings: [disk('/dev/xvda', root)], SecurityGroups: [{ GroupId: GROUP }], ...over });

/** The old one is crawled at 100, its recovery begins at 150, and the new one is crawled at 200. */
async function recovered() {
  const history = await SqlHistory.over(SqliteSql.open(':memory:'));
  const old = built(OLD, ROOT, { BlockDeviceMappings: [disk('/dev/xvda', ROOT), disk('/dev/sdf', LOGS)] });
  const address = (instanceId: string) => ({ AllocationId: ADDRESS, InstanceId: instanceId });
  await crawlOf(history, 100, [old]);
  await crawlOf(history, 100, [volume(ROOT, OLD), volume(LOGS, OLD)], { kind: 'volume' });
  await crawlOf(history, 100, [{ GroupId: GROUP, GroupName: 'db' }], { kind: 'security-group' });
  await crawlOf(history, 100, [address(OLD)], { kind: 'address' });
  const stopped = { ...old, State: { Code: 80, Name: 'stopped' } };
  await crawlOf(history, 200, [stopped, built(NEW, COPY, { InstanceType: 'm7g.large' })]);
  for (const atWallMs of [200, 300])
    await crawlOf(history, atWallMs, [volume(ROOT, null), volume(COPY, NEW)], { kind: 'volume' });
  await crawlOf(history, 200, [address(NEW)], { kind: 'address' });
  return history;
}

describe('the forensic record of a recovery', () => {
  it('has what was there before, what is there now, and what was lost', async () => {
    const record = await forensicRecord(await recovered(), {
      ...{ oldInstanceId: OLD, newInstanceId: NEW, startedAtWallMs: 150 },
    });
    expect([record.before.document.State, record.now?.id]).toEqual([{ Code: 16, Name: 'running' }, NEW]);
    expect(record.resources.map(({ id, fate, isCarried }) => `${id} ${fate}${isCarried ? ' carried' : ''}`)).toEqual([
      `${GROUP} unchanged`.replace('unchanged', 'kept carried'),
      `${ROOT} changed`,
      `${LOGS} gone`,
      `${ADDRESS} changed carried`,
    ]);
    expect(record.lost.map(({ id }) => id)).toEqual([ROOT, LOGS]);
    expect(record.fields.map(({ path }) => path)).toContain('InstanceType');
  });

  it('loses nothing that is kept where the instance was mended in place', async () => {
    const history = await SqlHistory.over(SqliteSql.open(':memory:'));
    await crawlOf(history, 100, [built(OLD, ROOT)]);
    await crawlOf(history, 100, [volume(ROOT, OLD)], { kind: 'volume' });
    const mended = { oldInstanceId: OLD, newInstanceId: OLD, startedAtWallMs: 150 };
    const record = await forensicRecord(history, mended);
    expect([record.lost, record.fields]).toEqual([[], []]);
    expect(record.resources.map(({ id, fate }) => `${id} ${fate}`)).toEqual([`${GROUP} unknown`, `${ROOT} kept`]);
  });

  it('is not to be had where no crawl saw the instance before', async () => {
    const early = { oldInstanceId: OLD, newInstanceId: NEW, startedAtWallMs: 50 };
    await expect(forensicRecord(await recovered(), early)).rejects.toThrow('INVENTORY_UNKNOWN');
  });
});
