import type { InventoryVersion } from '@understudy/shared';
import { describe, expect, it } from 'vitest';
import { parseLimit, parseMoment, pathOf } from '../inventory/questions.ts';
import { differencesText, pageText, recoveryText, standingText, versionText } from './inventory-view.ts';

const NOON = Date.parse('2026-11-29T12:00:00Z');
const version: InventoryVersion = {
  ...{ kind: 'instance', id: 'i-1', validFromWallMs: NOON, validToWallMs: null, lastSeenWallMs: NOON + 60_000 },
  ...{ end: null, crawl: '1-1', changedBy: null },
  document: { State: { Name: 'running' }, Tags: { Name: 'db-1' } },
};

describe('what inventory commands print', () => {
  it('is a line a version', () => {
    const ended = { ...version, id: 'i-2', validToWallMs: NOON + 1_000, end: 'gone', changedBy: 'ann' } as const;
    expect(pageText({ versions: [version, ended], next: 'abc' })).toBe(
      [
        'id   from (UTC)           until                     what          changed by',
        'i-1  2026-11-29 12:00:00  now                       running db-1',
        'i-2  2026-11-29 12:00:00  2026-11-29 12:00:01 gone  running db-1  ann',
        '',
        'there are more: --cursor abc',
      ].join('\n'),
    );
    expect(pageText({ versions: [], next: null })).toBe('nothing of the kind was there then');
  });

  it('is one resource with all its fields', () => {
    expect(versionText(version).split('\n').slice(0, 4)).toEqual([
      ...['instance i-1', 'so from 2026-11-29 12:00:00 until now, last seen 2026-11-29 12:01:00 UTC', '', '{'],
    ]);
  });

  it('is what differs, field by field', () => {
    const fields = [
      { path: 'State.Name', before: 'running', after: 'stopped' },
      { path: 'Tags[a.b]', before: null, after: 'x' },
    ];
    const one = { kind: 'instance', id: 'i-1', before: version, after: version, fields } as const;
    const gone = { ...one, id: 'i-2', change: 'gone', after: null } as const;
    expect(
      differencesText({
        differences: [
          { ...one, change: 'changed', fields },
          { ...gone, fields },
        ],
        next: null,
      }),
    ).toBe(
      [
        ...['instance i-1', '  - State.Name running', '  + State.Name stopped', '  + Tags[a.b] x', 'instance i-2 gone'],
      ].join('\n'),
    );
    expect(differencesText({ differences: [], next: null })).toBe('nothing is different');
  });

  it('is what became of everything that a recovery was about', () => {
    const resource = { kind: 'volume', id: 'vol-1', fate: 'gone', isCarried: false } as const;
    const text = recoveryText({
      ...{
        member: 'db/one',
        opId: 'r1',
        startedAtWallMs: NOON + 90_000,
        before: version,
        now: { ...version, id: 'i-2' },
      },
      fields: [{ path: 'InstanceType', before: 'm6g.large', after: 'm7g.large' }],
      resources: [{ ...resource, fields: [] }],
      lost: [{ kind: 'volume', id: 'vol-1' }],
    });
    expect(text.split('\n')).toEqual([
      'db/one, recovery r1, begun 2026-11-29 12:01:30 UTC',
      'before: i-1, as seen at 2026-11-29 12:01:00 UTC',
      'now: i-2, as seen at 2026-11-29 12:01:00 UTC',
      ...['lost: volume vol-1', '', 'kind    id     since then  carried on', 'volume  vol-1  gone        no', ''],
      ...['what the instance has differently:', '  - InstanceType m6g.large', '  + InstanceType m7g.large'],
    ]);
  });

  it('is a line a kind, with what keeps a crawl from being complete', () => {
    const kind = { kind: 'volume', current: 3, versions: 9, lastCrawlWallMs: NOON, lastCompleteWallMs: NOON };
    const covered = [{ fromWallMs: NOON - 60_000, toWallMs: NOON }];
    const text = standingText({
      ...{ coordinatorId: 'c1', sizeBytes: 3 * 1_048_576 },
      kinds: [{ ...kind, outcome: 'partial', detail: 'CLOUD_DENIED: no', covered }],
    });
    expect(text).toContain(
      'volume  3    9         2026-11-29 12:00:00  partial: CLOUD_DENIED: no  2026-11-29 11:59:00',
    );
    expect(text).toContain('kept by c1, 3.0 MiB');
  });
});

describe('what is asked of an inventory', () => {
  const moment = parseMoment(() => NOON);

  it.each([
    ['2026-11-29T12:00:00', NOON],
    ['2026-11-29T12:00:00Z', NOON],
    ['2026-11-29 12:00', NOON],
    ['2026-11-29T13:00:00+01:00', NOON],
    ['2026-11-29', NOON - 43_200_000],
    ['2h', NOON - 7_200_000],
  ])('%s is a time', (text, wallMs) => expect(moment(text)).toBe(wallMs));

  it.each(['yesterday', '12:00', '2', ''])('"%s" is none', (text) => expect(() => moment(text)).toThrow('want a time'));

  it('is a path with its questions', () => {
    expect(pathOf('/v1/x', { id: 'a/b', at: 1, none: undefined, where: ['A=1', 'B~2'] })).toBe(
      '/v1/x?id=a%2Fb&at=1&where=A%3D1&where=B%7E2',
    );
    expect(pathOf('/v1/x', {})).toBe('/v1/x');
    expect(() => parseLimit('0')).toThrow('from 1 to 500');
  });
});
