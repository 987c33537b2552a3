import { strict as assert } from 'node:assert';
import { type ErrorCode, isOperationError } from '@understudy/shared';
import { parseCondition } from '../core/condition.ts';
import type { DifferenceQuery, HistoryQuery, InventoryHistory, Span, VersionsPage } from '../history.ts';
import { crawlOf, instanceRow } from './crawls.ts';

export interface HistoryContractCase {
  readonly name: string;
  /** The history is empty. */
  run(history: InventoryHistory): Promise<void>;
}

async function refused(work: Promise<unknown>, code: ErrorCode, text = ''): Promise<void> {
  try {
    await work;
  } catch (error) {
    assert.ok(isOperationError(error), `want an OperationError, got ${String(error)}`);
    assert.equal(error.code, code, error.message);
    assert.ok(error.message.includes(text), error.message);
    return;
  }
  assert.fail(`want ${code}, but it succeeded`);
}

const asked = (span: Span, more: Partial<HistoryQuery> = {}): HistoryQuery => ({
  ...{ kind: 'instance', id: null, span, where: [], after: null, limit: 100 },
  ...more,
});
const difference = (fromWallMs: number, toWallMs: number, more: Partial<DifferenceQuery> = {}): DifferenceQuery => ({
  ...{ kind: 'instance', id: null, fromWallMs, toWallMs, where: [], after: null, limit: 100 },
  ...more,
});
const at = (atWallMs: number | null): Span => ({ kind: 'at', atWallMs });
const shown = ({ versions }: VersionsPage): string[] =>
  versions.map((one) => `${one.id} ${one.validFromWallMs}-${one.validToWallMs ?? ''} ${one.end ?? ''}`.trim());

const stopped = { State: { Code: 80, Name: 'stopped' } };
const terminated = { State: { Code: 48, Name: 'terminated' } };

/** Every implementation of {@link InventoryHistory} passes these. */
export const HISTORY_CONTRACT: readonly HistoryContractCase[] = [
  {
    name: 'an unchanged resource has one version, however often it is seen, and the last sight is told',
    async run(history) {
      await crawlOf(history, 100, [instanceRow('i-1')]);
      const report = await crawlOf(history, 200, [instanceRow('i-1')]);
      assert.deepEqual(report, {
        ...{ outcome: 'complete', detail: '', seen: 1, opened: 0, changed: 0, gone: 0, missed: 0 },
      });
      const { versions } = await history.versions(asked(at(null)));
      assert.deepEqual(
        versions.map(({ id, validFromWallMs, validToWallMs, lastSeenWallMs, crawl, document }) => ({
          ...{ id, validFromWallMs, validToWallMs, lastSeenWallMs, crawl, state: document.State },
        })),
        [
          {
            ...{ id: 'i-1', validFromWallMs: 100, validToWallMs: null, lastSeenWallMs: 200, crawl: '1-100' },
            state: { Code: 16, Name: 'running' },
          },
        ],
      );
    },
  },
  {
    name: 'a change ends one version and begins the next, and each is found by its time',
    async run(history) {
      await crawlOf(history, 100, [instanceRow('i-1')]);
      await crawlOf(history, 200, [instanceRow('i-1', stopped)]);
      await crawlOf(history, 300, [instanceRow('i-1', stopped)]);
      const all = { kind: 'valid', fromWallMs: 0, toWallMs: 1_000 } as const;
      assert.deepEqual(shown(await history.versions(asked(all))), ['i-1 100-200 changed', 'i-1 200-']);
      assert.deepEqual((await history.version('instance', 'i-1', 199)).document.State, { Code: 16, Name: 'running' });
      assert.deepEqual((await history.version('instance', 'i-1', 200)).document.State, { Code: 80, Name: 'stopped' });
      await refused(history.version('instance', 'i-1', 99), 'INVENTORY_UNKNOWN', 'first seen');
    },
  },
  {
    name: 'a crawl that is not complete takes nothing for gone, and what it saw counts',
    async run(history) {
      await crawlOf(history, 100, [instanceRow('i-1'), instanceRow('i-2')]);
      for (const atWallMs of [200, 300, 400]) {
        const partial = { isComplete: false, detail: 'page 2: throttled' };
        const report = await crawlOf(history, atWallMs, [instanceRow('i-2', stopped)], partial);
        assert.equal(report.outcome, 'partial');
        assert.equal(report.gone + report.missed, 0);
      }
      assert.deepEqual(shown(await history.versions(asked(at(null)))), ['i-1 100-', 'i-2 200-']);
    },
  },
  {
    name: 'what two complete crawls miss is gone since the first, and a single miss is forgotten',
    async run(history) {
      const [one, two] = [instanceRow('i-1'), instanceRow('i-2')];
      await crawlOf(history, 100, [one, two]);
      assert.equal((await crawlOf(history, 200, [one])).missed, 1);
      await crawlOf(history, 300, [one, two]);
      assert.equal((await crawlOf(history, 400, [one])).missed, 1);
      assert.equal((await crawlOf(history, 500, [one])).gone, 1);
      assert.deepEqual(shown(await history.versions(asked(at(350)))), ['i-1 100-', 'i-2 100-400 gone']);
      assert.deepEqual(shown(await history.versions(asked(at(null)))), ['i-1 100-']);
      const gone = await history.versions(asked({ kind: 'valid', fromWallMs: 0, toWallMs: 399 }, { id: 'i-2' }));
      assert.equal(gone.versions[0]?.lastSeenWallMs, 300);
      await refused(history.version('instance', 'i-2', null), 'INVENTORY_GONE', '1970-01-01T00:00:00.400Z');
      await refused(history.version('instance', 'i-3', null), 'INVENTORY_UNKNOWN', 'never seen');
    },
  },
  {
    name: 'a terminated instance is gone as soon as it is not listed any more',
    async run(history) {
      await crawlOf(history, 100, [instanceRow('i-1', terminated), instanceRow('i-2')]);
      assert.equal((await crawlOf(history, 200, [instanceRow('i-2')])).gone, 1);
    },
  },
  {
    name: 'what comes back after it was gone has a version of its own',
    async run(history) {
      await crawlOf(history, 100, [instanceRow('i-1', terminated)]);
      await crawlOf(history, 200, []);
      await crawlOf(history, 300, [instanceRow('i-1', terminated)]);
      const all = { kind: 'valid', fromWallMs: 0, toWallMs: 1_000 } as const;
      assert.deepEqual(shown(await history.versions(asked(all))), ['i-1 100-200 gone', 'i-1 300-']);
    },
  },
  {
    name: 'an answer without any tag is thrown away, until it has come often enough to be so',
    async run(history) {
      const ids = ['i-1', 'i-2', 'i-3', 'i-4', 'i-5', 'i-6'];
      await crawlOf(
        history,
        100,
        ids.map((id) => instanceRow(id)),
      );
      const bare = ids.map((id) => instanceRow(id, { ...stopped, Tags: [] }));
      for (const atWallMs of [200, 300, 400, 500, 600]) {
        const report = await crawlOf(history, atWallMs, bare);
        assert.equal(report.outcome, 'refused');
        assert.match(report.detail, /6 of 6 resources with tags/);
      }
      assert.equal((await history.versions(asked(at(null)))).versions[0]?.validFromWallMs, 100);
      assert.equal((await crawlOf(history, 700, bare)).changed, 6);
    },
  },
  {
    name: 'that most of all is absent has to be seen five times',
    async run(history) {
      const ids = Array.from({ length: 12 }, (_, number) => `i-${number + 10}`);
      await crawlOf(
        history,
        100,
        ids.map((id) => instanceRow(id)),
      );
      for (const atWallMs of [200, 300, 400, 500]) assert.equal((await crawlOf(history, atWallMs, [])).gone, 0);
      assert.equal((await crawlOf(history, 600, [])).gone, 12);
      assert.equal((await history.versions(asked(at(200)))).versions.length, 0);
    },
  },
  {
    name: 'a leader that was followed by another writes nothing more',
    async run(history) {
      await crawlOf(history, 100, [instanceRow('i-1')], { term: 7, writer: 'c1' });
      await crawlOf(history, 200, [instanceRow('i-1')], { term: 9, writer: 'c2' });
      const late = crawlOf(history, 300, [instanceRow('i-1', stopped)], { term: 7, writer: 'c1' });
      await refused(late, 'INVENTORY_SUPERSEDED', 'c2');
      const keep = { keptMs: 1, versionsMax: 0 };
      await refused(history.compact(keep, { term: 7, writer: 'c1' }, 1e12), 'INVENTORY_SUPERSEDED');
      assert.deepEqual(shown(await history.versions(asked(at(null)))), ['i-1 100-']);
    },
  },
  {
    name: 'a wall clock that steps back puts no version before another',
    async run(history) {
      await crawlOf(history, 1_000, [instanceRow('i-1')]);
      await crawlOf(history, 400, [instanceRow('i-1', stopped)]);
      const all = { kind: 'valid', fromWallMs: 0, toWallMs: 5_000 } as const;
      assert.deepEqual(shown(await history.versions(asked(all))), ['i-1 1000-1001 changed', 'i-1 1001-']);
    },
  },
  {
    name: 'versions that were valid in a range, and those that changed in it, are two questions',
    async run(history) {
      await crawlOf(history, 100, [instanceRow('i-1'), instanceRow('i-2'), instanceRow('i-3', terminated)]);
      await crawlOf(history, 200, [instanceRow('i-1', stopped), instanceRow('i-2')]);
      const range = { fromWallMs: 150, toWallMs: 250 };
      assert.deepEqual(shown(await history.versions(asked({ kind: 'valid', ...range }))), [
        ...['i-1 100-200 changed', 'i-1 200-', 'i-2 100-', 'i-3 100-200 gone'],
      ]);
      assert.deepEqual(shown(await history.versions(asked({ kind: 'changed', ...range }))), [
        ...['i-1 200-', 'i-3 100-200 gone'],
      ]);
    },
  },
  {
    name: 'any field is a condition: equal, not equal, like; tags and lists among them',
    async run(history) {
      const group = (value: string) => ({ Tags: [{ Key: 'understudy:group', Value: value }] });
      const groups = { SecurityGroups: [{ GroupId: 'sg-2' }, { GroupId: 'sg-1', GroupName: 'web' }] };
      await crawlOf(history, 100, [
        instanceRow('i-1', { ...group('db'), PrivateIpAddress: '10.0.0.7' }),
        instanceRow('i-2', { ...group('web'), ...stopped, ...groups, CpuCores: 4 }),
      ]);
      const found = async (...where: string[]) =>
        (await history.versions(asked(at(null), { where: where.map(parseCondition) }))).versions.map(({ id }) => id);
      assert.deepEqual(await found('State.Name=stopped'), ['i-2']);
      assert.deepEqual(await found('State.Name!=stopped'), ['i-1']);
      assert.deepEqual(await found('Tags[understudy:group]=db'), ['i-1']);
      assert.deepEqual(await found('Tags.understudy:group~^w'), ['i-2']);
      assert.deepEqual(await found('SecurityGroups.GroupId=sg-1', 'CpuCores=4'), ['i-2']);
      assert.deepEqual(await found('SecurityGroups[sg-1].GroupName=web'), ['i-2']);
      assert.deepEqual(await found(String.raw`PrivateIpAddress~^10\.0\.`), ['i-1']);
      assert.deepEqual(await found('No.Such=x'), []);
      assert.deepEqual(await found('No.Such!=x'), ['i-1', 'i-2']);
    },
  },
  {
    name: 'a page ends where it is full, and the next one goes on there',
    async run(history) {
      const ids = Array.from({ length: 25 }, (_, number) => `i-${number + 10}`);
      await crawlOf(
        history,
        100,
        ids.map((id, number) => instanceRow(id, number % 2 === 0 ? stopped : {})),
      );
      const where = [parseCondition('State.Name=stopped')];
      const found: string[] = [];
      let after: string | null = null;
      for (let pages = 1; pages === 1 || after !== null; pages += 1) {
        const page: VersionsPage = await history.versions(asked(at(null), { where, after, limit: 5 }));
        found.push(...page.versions.map(({ id }) => id));
        after = page.next;
        assert.ok(pages <= 3, 'three pages are thirteen');
      }
      assert.deepEqual(
        found,
        ids.filter((_, number) => number % 2 === 0),
      );
      await refused(history.versions(asked(at(null), { after: 'nonsense' })), 'INVENTORY_QUERY_INVALID', 'next');
      await refused(history.versions(asked(at(null), { kind: 'cupboard' })), 'INVENTORY_QUERY_INVALID');
    },
  },
  {
    name: 'an answer that is large or costs much ends early, and goes on from its next',
    async run(history) {
      const text = 'x'.repeat(1_000);
      const rows = Array.from({ length: 11_000 }, (_, number) =>
        instanceRow(`i-${number + 10_000}`, number < 400 ? { Description: text } : {}),
      );
      await crawlOf(history, 100, rows);
      const first = await history.versions(asked(at(null), { limit: 1_000 }));
      assert.ok(first.versions.length > 100 && first.versions.length < 400, `${first.versions.length}`);
      const second = await history.versions(asked(at(null), { limit: 1, after: first.next }));
      assert.equal(second.versions[0]?.id, `i-${10_000 + first.versions.length}`);
      const where = [parseCondition('InstanceId=i-20999')];
      const none = await history.versions(asked(at(null), { where }));
      assert.deepEqual(none.versions, []);
      const rest = await history.versions(asked(at(null), { where, after: none.next }));
      assert.deepEqual(
        rest.versions.map(({ id }) => id),
        ['i-20999'],
      );
      assert.equal(rest.next, null);
    },
  },
  {
    name: 'a crawl that has lost pages on the way writes nothing',
    async run(history) {
      await crawlOf(history, 100, [instanceRow('i-1'), instanceRow('i-2')]);
      for (const atWallMs of [200, 300]) {
        const lost = crawlOf(history, atWallMs, [instanceRow('i-1')], { rows: 2 });
        await refused(lost, 'INVENTORY_STORE_UNAVAILABLE', '1 of 2 rows');
      }
      await refused(crawlOf(history, 400, [], { rows: 1 }), 'INVENTORY_STORE_UNAVAILABLE', '0 of 1 rows');
      assert.equal((await history.standing()).kinds[0]?.lastCompleteWallMs, 100);
    },
  },
  {
    name: 'a regular expression without an end is ended',
    async run(history) {
      await crawlOf(history, 100, [instanceRow('i-1', { Description: `${'a'.repeat(60)}!` })]);
      const where = [parseCondition('Description~^(a+)+$')];
      await refused(history.versions(asked(at(null), { where })), 'INVENTORY_QUERY_SLOW');
      assert.equal((await history.versions(asked(at(null)))).versions.length, 1);
    },
  },
  {
    name: 'what is different between two times is told field by field',
    async run(history) {
      const disk = (name: string, id: string) => ({ DeviceName: name, Ebs: { VolumeId: id } });
      const root = disk('/dev/sda1', 'vol-1');
      await crawlOf(history, 100, [
        instanceRow('i-1', { BlockDeviceMappings: [root] }),
        instanceRow('i-2', terminated),
        instanceRow('i-4'),
      ]);
      await crawlOf(history, 200, [
        instanceRow('i-1', { ...stopped, BlockDeviceMappings: [disk('/dev/sdf', 'vol-2'), root] }),
        instanceRow('i-3'),
        instanceRow('i-4', stopped),
      ]);
      await crawlOf(history, 300, [
        instanceRow('i-1', { ...stopped, BlockDeviceMappings: [disk('/dev/sdf', 'vol-2'), root] }),
        instanceRow('i-3'),
        instanceRow('i-4'),
      ]);
      const { differences } = await history.differences(difference(100, 300));
      assert.deepEqual(
        differences.map(({ id, change }) => `${id} ${change}`),
        ['i-1 changed', 'i-2 gone', 'i-3 appeared'],
      );
      assert.deepEqual(differences[0]?.fields, [
        { path: 'BlockDeviceMappings./dev/sdf', before: null, after: disk('/dev/sdf', 'vol-2') },
        { path: 'State.Code', before: 16, after: 80 },
        { path: 'State.Name', before: 'running', after: 'stopped' },
      ]);
      const first = await history.differences(difference(100, 300, { limit: 2 }));
      assert.equal(first.differences.length, 2);
      const second = await history.differences(difference(100, 300, { limit: 2, after: first.next }));
      assert.deepEqual(
        second.differences.map(({ id }) => id),
        ['i-3'],
      );
      assert.equal(second.next, null);
      const where = [parseCondition('State.Name=terminated')];
      assert.deepEqual(
        (await history.differences(difference(100, 300, { where }))).differences.map(({ id }) => id),
        ['i-2'],
      );
    },
  },
  {
    name: 'retention removes ended versions by age and by number, and never a current one',
    async run(history) {
      const state = (number: number) => ({ State: { Code: number, Name: 'running' } });
      for (let number = 1; number <= 9; number += 1)
        await crawlOf(history, number * 100, [instanceRow('i-1', state(number)), instanceRow('i-2')]);
      const by = { term: 1, writer: 'c1' };
      assert.deepEqual(await history.compact({ keptMs: 600, versionsMax: 100 }, by, 1_000), {
        removed: 2,
        isMore: false,
      });
      assert.deepEqual(await history.compact({ keptMs: 600, versionsMax: 4 }, by, 1_000), {
        removed: 2,
        isMore: false,
      });
      assert.deepEqual(await history.compact({ keptMs: 1, versionsMax: 0 }, by, 1e12), { removed: 4, isMore: false });
      assert.deepEqual(shown(await history.versions(asked(at(null)))), ['i-1 900-', 'i-2 100-']);
    },
  },
  {
    name: 'retention says when there is more to remove than it did at once',
    async run(history) {
      const ids = Array.from({ length: 5_100 }, (_, number) => `i-${number + 10_000}`);
      await crawlOf(
        history,
        100,
        ids.map((id) => instanceRow(id)),
      );
      await crawlOf(
        history,
        200,
        ids.map((id) => instanceRow(id, stopped)),
      );
      const compact = () => history.compact({ keptMs: 1, versionsMax: 0 }, { term: 1, writer: 'c1' }, 1e12);
      assert.deepEqual(await compact(), { removed: 5_000, isMore: true });
      assert.deepEqual(await compact(), { removed: 100, isMore: false });
    },
  },
  {
    name: 'a change is put down to who was heard to make it, also when that is heard late',
    async run(history) {
      const deeds = [{ id: 'i-1', atWallMs: 150, by: 'ann, by StopInstances' }];
      await crawlOf(history, 100, [instanceRow('i-1'), instanceRow('i-2')]);
      await crawlOf(history, 200, [instanceRow('i-1', stopped), instanceRow('i-2')]);
      assert.equal((await history.version('instance', 'i-1', null)).changedBy, null);
      await crawlOf(history, 300, [instanceRow('i-1', stopped), instanceRow('i-2')], { deeds });
      assert.equal((await history.version('instance', 'i-1', null)).changedBy, 'ann, by StopInstances');
      // What has changed nothing is no reason of what changes later.
      const idle = [...deeds, { id: 'i-2', atWallMs: 250, by: 'bob, by RebootInstances' }];
      await crawlOf(history, 400, [instanceRow('i-1', stopped), instanceRow('i-2', stopped)], { deeds: idle });
      assert.equal((await history.version('instance', 'i-2', null)).changedBy, null);
      assert.equal((await history.version('instance', 'i-1', 100)).changedBy, null);
    },
  },
  {
    name: 'when nobody looked is told',
    async run(history) {
      for (const atWallMs of [100, 200, 5_000, 5_100]) await crawlOf(history, atWallMs, [instanceRow('i-1')]);
      await crawlOf(history, 5_200, [], { isComplete: false, detail: 'page 1: denied' });
      const { kinds, sizeBytes } = await history.standing();
      const instances = kinds.find(({ kind }) => kind === 'instance');
      assert.deepEqual(instances, {
        ...{ kind: 'instance', current: 1, versions: 1, lastCrawlWallMs: 5_200, lastCompleteWallMs: 5_100 },
        ...{ outcome: 'partial', detail: 'page 1: denied' },
        covered: [
          { fromWallMs: 5_000, toWallMs: 5_100 },
          { fromWallMs: 100, toWallMs: 200 },
        ],
      });
      assert.ok(sizeBytes > 0);
      assert.equal(kinds.find(({ kind }) => kind === 'record')?.lastCrawlWallMs, null);
    },
  },
];
