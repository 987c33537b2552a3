import type {
  InventoryDifference,
  InventoryDifferences,
  InventoryPage,
  InventoryRecovery,
  InventoryStanding,
  InventoryVersion,
} from '@understudy/shared';
import { tableText, timeText } from './format.ts';
import { PIPE, type Screen } from './screen.ts';

const moment = (wallMs: number | null): string => (wallMs === null ? '' : timeText(wallMs));

const bytesText = (bytes: number): string => `${(bytes / 1_048_576).toFixed(1)} MiB`;

/** What `understudy inventory status` prints. */
export function standingText({ coordinatorId, kinds, sizeBytes }: InventoryStanding, screen: Screen = PIPE): string {
  const rows = kinds.map((one) => [
    ...[one.kind, `${one.current}`, `${one.versions}`, moment(one.lastCompleteWallMs) || 'never'],
    one.outcome === null || one.outcome === 'complete'
      ? (one.outcome ?? 'not crawled')
      : `${one.outcome}: ${one.detail}`,
    moment(one.covered.at(-1)?.fromWallMs ?? null),
  ]);
  const head = ['kind', 'now', 'versions', 'complete (UTC)', 'last crawl', 'known since'];
  return `${tableText(head, rows, screen)}\n\nkept by ${coordinatorId}, ${bytesText(sizeBytes)}`;
}

/** A word of the document that tells people most about a resource of any kind. */
function gist({ document }: InventoryVersion): string {
  const { State, Status, Tags } = document;
  const state = typeof State === 'object' && State !== null ? Reflect.get(State, 'Name') : (State ?? Status);
  const name = typeof Tags === 'object' && Tags !== null ? Reflect.get(Tags, 'Name') : null;
  return [state, name].filter((one) => typeof one === 'string').join(' ');
}

const untilText = ({ validToWallMs, end }: InventoryVersion): string =>
  validToWallMs === null ? 'now' : `${timeText(validToWallMs)} ${end ?? ''}`.trim();

/** What `understudy inventory list` prints. */
export function pageText({ versions, next }: InventoryPage, screen: Screen = PIPE): string {
  if (versions.length === 0) return 'nothing of the kind was there then';
  const rows = versions.map((one) => [
    ...[one.id, moment(one.validFromWallMs), untilText(one), gist(one), one.changedBy ?? ''],
  ]);
  const table = tableText(['id', 'from (UTC)', 'until', 'what', 'changed by'], rows, screen);
  return next === null ? table : `${table}\n\nthere are more: --cursor ${next}`;
}

/** What `understudy inventory show` prints. */
export function versionText(version: InventoryVersion): string {
  const { kind, id, validFromWallMs, lastSeenWallMs, changedBy } = version;
  const head = [
    `${kind} ${id}`,
    `so from ${timeText(validFromWallMs)} until ${untilText(version)}, last seen ${timeText(lastSeenWallMs)} UTC`,
    ...(changedBy === null ? [] : [`changed by ${changedBy}`]),
  ];
  return [...head, '', JSON.stringify(version.document, null, 2)].join('\n');
}

const word = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

function differenceLines({ kind, id, change, fields }: InventoryDifference): readonly string[] {
  const head = `${kind} ${id} ${change === 'changed' ? '' : change}`.trim();
  if (change !== 'changed') return [head];
  return [head, ...changeLines(fields)];
}

/** What `understudy inventory diff` prints. */
export function differencesText({ differences, next }: InventoryDifferences): string {
  if (differences.length === 0) return 'nothing is different';
  const more = next === null ? [] : ['', `there are more: --cursor ${next}`];
  return [...differences.flatMap(differenceLines), ...more].join('\n');
}

const changeLines = (fields: InventoryDifference['fields']): readonly string[] =>
  fields.flatMap(({ path, before, after }) => [
    ...(before === null ? [] : [`  - ${path} ${word(before)}`]),
    ...(after === null ? [] : [`  + ${path} ${word(after)}`]),
  ]);

/** What `understudy inventory recovery` prints. */
export function recoveryText(record: InventoryRecovery, screen: Screen = PIPE): string {
  const { member, opId, startedAtWallMs, before, now, fields, resources, lost } = record;
  const rows = resources.map((one) => [one.kind, one.id, one.fate, one.isCarried ? 'yes' : 'no']);
  return [
    `${member}, recovery ${opId}, begun ${timeText(startedAtWallMs)} UTC`,
    `before: ${before.id}, as seen at ${timeText(before.lastSeenWallMs)} UTC`,
    `now: ${now === null ? 'not known, or gone' : `${now.id}, as seen at ${timeText(now.lastSeenWallMs)} UTC`}`,
    `lost: ${lost.length === 0 ? 'nothing that crawls have seen' : lost.map(({ kind, id }) => `${kind} ${id}`).join(', ')}`,
    '',
    tableText(['kind', 'id', 'since then', 'carried on'], rows, screen),
    ...(fields.length === 0 ? [] : ['', 'what the instance has differently:', ...changeLines(fields)]),
  ].join('\n');
}
