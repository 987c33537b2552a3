import { durationText, type NoticesView } from '@understudy/shared';
import type { Facts } from '../changes.ts';
import { PIPE, type Screen } from './screen.ts';
import { tableText } from './format.ts';

const age = (atWallMs: number, nowWallMs: number) => durationText(Math.max(0, nowWallMs - atWallMs));

/** What `understudy notices` prints. */
export function noticesText(
  { waiting, waitingCount, undelivered }: NoticesView,
  nowWallMs: number,
  screen: Screen = PIPE,
): string {
  const waits = waiting.map((one) => [
    one.id,
    one.kind,
    age(one.atWallMs, nowWallMs),
    one.deliveredTo.join(', ') || '–',
    one.what,
  ]);
  const given = undelivered.map((one) => [
    ...[one.webhook, one.id, one.kind, age(one.atWallMs, nowWallMs)],
    ...[one.error, one.what],
  ]);
  const more = waitingCount > waiting.length ? ` (the oldest ${waiting.length} of ${waitingCount})` : '';
  return [
    ...(given.length === 0
      ? []
      : [
          'given up, kept until you send them again or drop them:',
          tableText(['webhook', 'id', 'kind', 'age', 'why not', 'what'], given, screen),
          '',
        ]),
    ...(waits.length === 0
      ? ['nothing waits to be delivered']
      : [`waiting to be delivered${more}:`, tableText(['id', 'kind', 'age', 'delivered to', 'what'], waits, screen)]),
  ].join('\n');
}

export const noticesFacts = ({ waiting, undelivered }: NoticesView): Facts =>
  new Map([
    ...waiting.map(({ id, what }) => [`notice ${id}`, `waits: ${what}`] as const),
    ...undelivered.map(({ id, webhook, error }) => [`notice ${id} for ${webhook}`, `given up: ${error}`] as const),
  ]);
